import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseRequests, type DemoRequestOptions } from '../../../demo/requests/demo-requests.ts';
import type { RequestEvent } from '../../../demo/requests/request-events.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

let directory: string;
let traceFile: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-demo-requests-'));
  traceFile = join(directory, 'trace.csv');
  const rows = [0, 10, 20, 30, 40].map((second) => `2026-01-05 09:00:${String(second).padStart(2, '0')},${second},7`);
  await writeFile(traceFile, `TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.join('\n')}\n`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function choose(options: Partial<DemoRequestOptions>): Promise<{ events: RequestEvent[]; total: number }> {
  const { events, total } = await chooseRequests({ requests: 3, traceFile: null, seconds: 2, seed: 1, ...options });
  const list: RequestEvent[] = [];
  for await (const event of events) list.push(event);
  return { events: list, total };
}

describe('demo requests', () => {
  test('demo requests: as many as asked for are made, none when none are', async () => {
    expect((await choose({})).events).toHaveLength(3);
    expect(await choose({ requests: 0 })).toEqual({ events: [], total: 0 });
  });

  test('demo requests: those of a trace are its first ones, in the time that they are given', async () => {
    const { events, total } = await choose({ traceFile });
    expect(total).toBe(3);
    expect(events.map(({ atMs, contextTokens }) => [atMs, contextTokens])).toEqual([
      [0, 0],
      [1_000, 10],
      [2_000, 20],
    ]);
  });

  test('demo requests: a trace has no more than it has', async () => {
    const { events, total } = await choose({ traceFile, requests: 1_000 });
    expect([events.length, total]).toEqual([5, 5]);
  });

  test('demo requests: a trace that cannot be read is told before anything starts', async () => {
    await expect(choose({ traceFile: join(directory, 'none.csv') })).rejects.toThrow(UsageError);
  });
});
