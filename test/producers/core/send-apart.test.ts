import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeApart } from '../../../producers/core/chunk-parts.ts';
import { createSendApart } from '../../../producers/core/send-apart.ts';
import { compressed, filler } from '../../support/compressed-chunk.ts';

const chunkOf = (records: readonly unknown[]) => ({
  id: 'p.1.7',
  data: `{"v":1,"producer":"p","epoch":1,"seq":7,"records":[${records.map((record) => JSON.stringify(record)).join(',')}]}`,
});

const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const tooLarge = (): Error => replyError('ERR Protocol error: invalid bulk length');
const unknown = (): Error => replyError('ERR nobody knows');
const hangUp = (): Error => new Error('Command aborted due to connection close');

/** Sends to a server that refuses every chunk with one of `bad` in it. */
function apart(bad: readonly number[], refuse: () => Error, { isAway = (_send: number): boolean => false } = {}) {
  const arrived: number[] = [];
  const stopping = new AbortController();
  let sends = 0;
  let acknowledged = 0;
  const send = createSendApart({
    transport: {
      async send([chunk]) {
        sends += 1;
        if (isAway(sends)) throw new Error('redis is not connected (reconnecting)');
        const { records } = JSON.parse(chunk?.data ?? '') as { records: number[] };
        if (records.some((record) => bad.includes(record))) throw refuse();
        arrived.push(...records);
      },
      close: async () => undefined,
    },
    retryBackoff: { baseMs: 1, maxMs: 1 },
    random: () => 0,
    signal: stopping.signal,
    acknowledged: () => acknowledged,
    onAcknowledged: () => {
      acknowledged += 1;
    },
    onFailure: () => undefined,
  });
  return { send, arrived, stopping, sends: () => sends };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('apart: whichever records are refused, these are set aside, in few sends, and all others arrive once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat(59), { maxLength: 6 }), async (count, picks) => {
      const records = upTo(count);
      const bad = [...new Set(picks.filter((pick) => pick < count))];
      const { send, arrived, sends } = apart(bad, tooLarge);
      const refused = await send(chunkOf(records), count);
      expect(refused?.map(({ index }) => index).sort((a, b) => a - b)).toEqual([...bad].sort((a, b) => a - b));
      expect(arrived.sort((a, b) => a - b)).toEqual(records.filter((record) => !bad.includes(record)));
      expect(sends()).toBeLessThanOrEqual(2 * bad.length * Math.ceil(Math.log2(Math.max(2, count))) + 1);
    }),
  );
});

test.each([
  ['an answer that nobody knows', unknown],
  ['no answer at all', hangUp],
])('apart: over %s a record is set aside, since the others of its chunk get through', async (_what, refuse) => {
  const { send, arrived } = apart([0], refuse);
  const refused = await send(chunkOf(upTo(8)), 8);
  expect(refused?.map(({ index }) => index)).toEqual([0]);
  expect(arrived).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('apart: while nothing gets through, no record is given up over an answer that nobody knows', async () => {
  const { send, arrived, stopping, sends } = apart(upTo(3), unknown);
  const sending = send(chunkOf(upTo(3)), 3);
  while (sends() < 100) await new Promise((resolve) => setImmediate(resolve));
  stopping.abort();
  expect(await sending).toBeNull();
  expect(arrived).toEqual([]);
});

test('apart: an outage in the middle is sat out', async () => {
  const { send, arrived } = apart([2], tooLarge, { isAway: (number) => number > 2 && number < 9 });
  expect((await send(chunkOf(upTo(4)), 4))?.map(({ index }) => index)).toEqual([2]);
  expect(arrived.sort()).toEqual([0, 1, 3]);
});

test('parts: each record stays the text that it was, and the same records are the same chunk', () => {
  const data =
    '{"v":1,"producer":"p","epoch":1,"seq":7,"records":[{"n":12345678901234567890}, {"t":"],["} ,{"n":2.0}]}';
  const parts = takeApart({ id: 'p.1.7', data });
  expect(parts?.part(0, 1)).toEqual({
    id: 'p.1.7.0-1',
    data: '{"v":1,"producer":"p","epoch":1,"seq":7,"records":[{"n":12345678901234567890}]}',
  });
  expect(parts?.part(1, 3).data).toContain('"records":[{"t":"],["} ,{"n":2.0}]}');
  expect(takeApart({ id: 'x', data: 'no JSON' })).toBeNull();
  expect(takeApart({ id: 'x', data: '{"records":7}' })).toBeNull();
});

test('parts: those of a compressed chunk are compressed, too, and each record stays the text that it was', () => {
  const texts = [`{"n":12345678901234567890,"filler":"${filler}"}`, `{"n":2.0,"filler":"${filler}"}`, '{"n":3}'];
  const plain = (some: string[]) => `{"v":1,"producer":"p","epoch":1,"seq":7,"records":[${some.join(',')}]}`;
  const parts = takeApart({ id: 'p.1.7', data: compressed(plain(texts), 3, 'r-1') });
  expect(parts?.part(0, 2)).toEqual({ id: 'p.1.7.0-2', data: compressed(plain(texts.slice(0, 2)), 2, 'r-1') });
  // It is too small.
  expect(parts?.part(2, 3)).toEqual({ id: 'p.1.7.2-3', data: plain(texts.slice(2)) });
  const damaged = compressed(plain(texts)).replace(/"bytes":\d+/, '"bytes":1024');
  expect(takeApart({ id: 'x', data: damaged })).toBeNull();
});
