import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { UsageError } from '../shared/platform/errors.ts';
import { toText } from './output/line.ts';

/** The terminal to ask a person on; both streams must be terminals. */
export interface Terminal {
  input: Readable & { isTTY?: boolean };
  output: Writable & { isTTY?: boolean };
}

/** Questions go to standard error: standard output is for results. */
const processTerminal: Terminal = { input: process.stdin, output: process.stderr };

/**
 * Asks a person before something that cannot be undone.
 *
 * @param options.yes confirmed in advance, with --yes: does not ask
 * @throws UsageError if there is nobody to ask
 */
export async function confirm(
  question: string,
  { yes, terminal = processTerminal }: { yes: boolean; terminal?: Terminal },
): Promise<boolean> {
  if (yes) return true;
  const { input, output } = terminal;
  if (input.isTTY !== true || output.isTTY !== true) {
    throw new UsageError('no terminal to ask for confirmation: give --yes to confirm');
  }
  output.write(`${toText(`${question} Type yes:`, { colours: false })} `);
  const reader = createInterface({ input });
  const answer = await new Promise<string>((resolve) => {
    reader.once('line', resolve);
    // Ctrl-D ends the input without an answer.
    reader.once('close', () => resolve(''));
  });
  reader.close();
  return answer.trim().toLowerCase() === 'yes';
}
