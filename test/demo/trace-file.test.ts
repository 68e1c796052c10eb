import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoStrategies } from '../../demo/executions/strategies.ts';
import { readTraceFile, type TraceRow, toEvents } from '../../demo/trace-file.ts';

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';
let directory: string;
let path: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-trace-file-'));
  path = join(directory, 'trace.csv');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function read(content: string): Promise<TraceRow[]> {
  await writeFile(path, content);
  return await collect(readTraceFile(path));
}

describe('trace file', () => {
  test('trace file: times are relative to the first row and keep the seventh decimal', async () => {
    const rows = await read(
      `${header}\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319601,3180,8\n2023-11-17 00:00:00,1,0\n`,
    );
    expect(rows).toEqual([
      { atMs: 0, contextTokens: 4808, generatedTokens: 10 },
      { atMs: 52.0001, contextTokens: 3180, generatedTokens: 8 },
      { atMs: 20_576_020.04, contextTokens: 1, generatedTokens: 0 },
    ]);
  });

  test('trace file: fewer decimals are tenths and hundredths, not steps', async () => {
    const rows = await read(`${header}\n2023-11-16 18:17:03.5,1,1\n2023-11-16 18:17:03.75,1,1\n`);
    expect(rows.map(({ atMs }) => atMs)).toEqual([0, 250]);
  });

  test('trace file: BOM, CRLF, blank lines at the end and a missing last line end are accepted', async () => {
    const expected = [{ atMs: 0, contextTokens: 5, generatedTokens: 6 }];
    const row = '2023-11-16 18:17:03.9799600,5,6';
    expect(await read(`\uFEFF${header}\r\n${row}\r\n\r\n \r\n`)).toEqual(expected);
    expect(await read(`${header}\n${row}`)).toEqual(expected);
  });

  test('trace file: a row older than the first is clamped at 0', async () => {
    const rows = await read(
      `${header}\n2023-11-16 18:17:03,1,1\n2023-11-16 18:17:02,2,2\n2023-11-16 18:17:05,3,3\n2023-11-16 18:17:04,4,4\n`,
    );
    expect(rows.map(({ atMs }) => atMs)).toEqual([0, 0, 2000, 1000]);
  });

  test('trace file: rows that straddle a read of the stream come out whole', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `2023-11-16 18:17:03.9799600,${index},${index}`);
    const read5000 = await read([header, ...rows].join('\r\n'));
    expect(read5000.map(({ contextTokens }) => contextTokens)).toEqual(rows.map((_, index) => index));
  });

  test('trace file: a reader that stops early needs no more of the file', async () => {
    await writeFile(path, `${header}\n2023-11-16 18:17:03,1,1\nnot a row\n`);
    for await (const row of readTraceFile(path)) {
      expect(row.contextTokens).toBe(1);
      break;
    }
  });

  test.each([
    ['another header', 'time,a,b\n', 1, `expected the header ${header}, got "time,a,b"`],
    ['rows without a header', '2023-11-16 18:17:03,1,1\n', 1, `expected the header ${header}, got "2023`],
    ['a column too few', `${header}\n2023-11-16 18:17:03,1\n`, 2, 'expected 3 columns, got 2'],
    ['a column too many', `${header}\n2023-11-16 18:17:03,1,1,1\n`, 2, 'expected 3 columns, got 4'],
    ['a time that is none', `${header}\nyesterday,1,1\n`, 2, 'TIMESTAMP must be a time like'],
    ['a day that no month has', `${header}\n2023-02-30 18:17:03,1,1\n`, 2, 'got "2023-02-30 18:17:03"'],
    ['an hour that no day has', `${header}\n2023-02-20 24:00:00,1,1\n`, 2, 'got "2023-02-20 24:00:00"'],
    ['a month that no year has', `${header}\n2023-13-20 18:00:00,1,1\n`, 2, 'got "2023-13-20 18:00:00"'],
    ['an eighth decimal', `${header}\n2023-02-20 18:00:00.12345678,1,1\n`, 2, 'TIMESTAMP must be a time like'],
    [
      'negative tokens',
      `${header}\n2023-11-16 18:17:03,-3,1\n`,
      2,
      'ContextTokens must be a whole number >= 0, got "-3"',
    ],
    [
      'broken tokens',
      `${header}\n2023-11-16 18:17:03,1,1.5\n`,
      2,
      'GeneratedTokens must be a whole number >= 0, got "1.5"',
    ],
    ['no tokens', `${header}\n2023-11-16 18:17:03,1,\n`, 2, 'GeneratedTokens must be a whole number >= 0, got ""'],
    [
      'a blank line between rows',
      `${header}\n2023-11-16 18:17:03,1,1\n\n\n2023-11-16 18:17:03,1,1\n`,
      3,
      'a blank line before further rows',
    ],
  ])('trace file: %s is refused with file, line and reason', async (_, content, line, reason) => {
    const start = `trace file ${path}, line ${line}: `;
    await expect(read(content)).rejects.toThrow(start);
    await expect(read(content)).rejects.toThrow(reason);
  });

  test('trace file: an empty file and one without rows are refused', async () => {
    await expect(read('')).rejects.toThrow(`trace file ${path} is empty`);
    await expect(read(`${header}\n`)).rejects.toThrow(`trace file ${path} has no rows after its header`);
  });

  test('trace file: a file that is not there and a folder are refused by name', async () => {
    const missing = join(directory, 'missing.csv');
    await expect(readTraceFile(missing).next()).rejects.toThrow(`trace file ${missing} cannot be read: ENOENT`);
    await expect(readTraceFile(directory).next()).rejects.toThrow(`trace file ${directory} cannot be read: EISDIR`);
  });

  test('trace file: a bad row comes after the good rows before it', async () => {
    await writeFile(path, `${header}\n2023-11-16 18:17:03,1,1\nbad\n`);
    const rows = readTraceFile(path);
    expect((await rows.next()).value).toMatchObject({ contextTokens: 1 });
    await expect(rows.next()).rejects.toThrow('line 3');
  });
});

describe('trace events', () => {
  const rows: TraceRow[] = [
    { atMs: 0, contextTokens: 4808, generatedTokens: 10 },
    { atMs: 52, contextTokens: 3180, generatedTokens: 8 },
  ];
  const events = (seed: number) => collect(toEvents(rows, demoStrategies, seed));

  test('trace events: every arrival becomes one event at its time, sized by its tokens', async () => {
    const made = await events(1);
    expect(made.map(({ atMs }) => atMs)).toEqual([0, 52]);
    expect(made[0]?.data).toMatchObject({ contextTokens: 4808, generatedTokens: 10, gridRows: 11, gridColumns: 3 });
  });

  test('trace events: the same seed gives the same events, another seed others', async () => {
    expect(await events(1)).toEqual(await events(1));
    expect(await events(1)).not.toEqual(await events(2));
  });

  test('trace events: without strategies the first arrival is refused', async () => {
    await expect(collect(toEvents(rows, [], 1))).rejects.toThrow('strategies must not be empty');
  });
});
