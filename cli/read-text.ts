import { createReadStream } from 'node:fs';
import { toError, UsageError } from '../shared/platform/errors.ts';

const mostBytes = 32 * 1_024 * 1_024;

/**
 * Reads a text of at most 32 MiB in UTF-8, from a file, a pipe such as `<(…)`, or standard input.
 *
 * @param file `-`: standard input
 * @param input what that is. @default process.stdin
 * @throws UsageError that says what is wrong with it
 */
export async function readText(file: string, input: AsyncIterable<Buffer> = process.stdin): Promise<string> {
  const name = file === '-' ? 'standard input' : file;
  const bytes = await readBytes(file === '-' ? input : createReadStream(file), name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${name} is not in UTF-8; save it as UTF-8`);
  }
}

async function readBytes(stream: AsyncIterable<Buffer>, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > mostBytes) break;
    }
  } catch (thrown) {
    const { code = 'unknown' } = toError(thrown) as NodeJS.ErrnoException;
    throw new UsageError(`${name} is not a readable file (${code})`);
  }
  if (bytes > mostBytes) throw new UsageError(`${name} is larger than ${mostBytes / 1_048_576} MiB`);
  return Buffer.concat(chunks);
}
