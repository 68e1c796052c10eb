import type { Output } from './output/output.ts';

/** What a command is given besides its own options. */
export interface CommandContext {
  environment: NodeJS.ProcessEnv;
  /** standard output, for results */
  output: Output;
  /** standard error, for progress and notes */
  notes: Output;
  /** sets the exit code of the process; without a call it is 0 */
  exitWith(code: number): void;
}
