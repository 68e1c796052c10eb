import type { Output } from './output/output.ts';

/** What a command gets besides its own options. */
export interface CommandContext {
  environment: NodeJS.ProcessEnv;
  /** standard output, for results */
  output: Output;
  /** standard error, for progress and notes */
  notes: Output;
  /** sets the exit code of the process. @default 0 */
  exitWith(code: number): void;
}
