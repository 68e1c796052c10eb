import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readText } from '../../cli/read-text.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { createDirectory } from '../support/fixtures.ts';

const inputOf = (...chunks: Buffer[]) => Readable.from(chunks);

test('text: standard input is read whole, and must be UTF-8 like a file', async () => {
  const text = Buffer.from('a,Zo\u00eb\n');
  // A character may come in two chunks.
  expect(await readText('-', inputOf(text.subarray(0, 5), text.subarray(5)))).toBe('a,Zo\u00eb\n');
  expect(await readText('-', inputOf())).toBe('');
  await expect(readText('-', inputOf(Buffer.from('Zo\u00eb', 'latin1')))).rejects.toEqual(
    new UsageError('standard input is not in UTF-8; save it as UTF-8'),
  );
});

test('text: no more than 32 MiB are read, however long it is', async () => {
  const most = Buffer.alloc(32 * 1_048_576, 0x20);
  expect((await readText('-', inputOf(most))).length).toBe(most.length);
  await expect(readText('-', inputOf(most, Buffer.from(' ')))).rejects.toThrow('standard input is larger than 32 MiB');
  await expect(readText('/dev/zero')).rejects.toThrow('/dev/zero is larger than 32 MiB');
});

test('text: a pipe is read like a file, and what is neither is named', async () => {
  const directory = await createDirectory();
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const [read] = await Promise.all([readText(pipe), writeFile(pipe, 'kind,id,name\n')]);
  expect(read).toBe('kind,id,name\n');
  await expect(readText(directory)).rejects.toEqual(new UsageError(`${directory} is not a readable file (EISDIR)`));
  const missing = join(directory, 'missing');
  await expect(readText(missing)).rejects.toEqual(new UsageError(`${missing} is not a readable file (ENOENT)`));
});
