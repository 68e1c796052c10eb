import type { Output } from './output/output.ts';

/** What a command gets besides its own options. */
export interface CommandContext {
  environment: NodeJS.ProcessEnv;
  /** standard output, for results */
  output: Output;
  /** standard error, for progress and notes */
  notes: Output;
  /** As that of lifecycle.ts. Output that the reader has not taken by then is waited for no longer than a second. */
  untilAskedToStop(): Promise<string>;
  /** sets the exit code of the process. @default 0 */
  exitWith(code: number): void;
}
