/** What a command is given besides its own options. */
export interface CommandContext {
  environment: NodeJS.ProcessEnv;
  /** sets the exit code of the process; without a call it is 0 */
  exitWith(code: number): void;
}
