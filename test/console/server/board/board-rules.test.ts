import { describe, expect, test } from 'vitest';
import { mayPass } from '../../../../console/server/board/board-rules.ts';
import { describeChunk } from '../../../../console/server/board/describe-chunk.ts';
import { createReadingTurns } from '../../../../console/server/board/reading-turns.ts';
import { UnreadData } from '../../../../console/server/board/unread-data.ts';

const chunk = {
  v: 1,
  producer: 'scoring-1',
  epoch: 5,
  seq: 7,
  records: [
    {
      id: '018f',
      strategyId: 'bonus',
      input: { secret: 'their input' },
      trace: [{ nodeId: 'n1', value: 'their value' }],
      externalUserId: 'their id',
      errorMessage: null,
    },
    { requestId: '018f', model: 'm', requestBody: 'their words', responseBody: null, createdBy: 'their creator' },
  ],
};

describe('a chunk on the board', () => {
  test('is shown as its records, without what is private', () => {
    const shown = describeChunk(chunk, false);
    expect(shown).toMatchObject({
      producer: 'scoring-1',
      recordCount: 2,
      records: [
        { strategyId: 'bonus', input: 'hidden: object with 1 fields', trace: 'hidden: list of 1', errorMessage: null },
        { model: 'm', requestBody: 'hidden: text of 11 characters', responseBody: null },
      ],
    });
    expect(JSON.stringify(shown)).not.toContain('their');
  });

  test('to an operator, with it', () => {
    expect(JSON.stringify(describeChunk(chunk, true)).match(/their/g)).toHaveLength(5);
  });

  test('of thousands of long records is cut', () => {
    const record = { id: 'x'.repeat(10_000) };
    const shown = JSON.stringify(describeChunk({ v: 1, records: Array.from({ length: 5_000 }, () => record) }, true));
    expect(shown.length).toBeLessThan(60_000);
    expect(shown).toContain('4980 more records, not shown');
  });

  test.each([
    null,
    undefined,
    'text',
    7,
    [],
    ['their'],
    {},
    { records: 'their' },
    { records: [null, 'their', 7, ['their']] },
  ])('what is none is not shown: %j', (data) => {
    expect(JSON.stringify(describeChunk(data, false)) ?? '').not.toContain('their');
  });
});

describe('what passes to the board', () => {
  const operator = { mayChange: true, reveals: true };
  const reader = { mayChange: false, reveals: false };
  const open = { mayChange: true, reveals: false };
  const ofQueue = '/api/queues/:queueName';
  const params = { queueName: 'execution-log' };

  test.each([
    ['PUT', `${ofQueue}/pause`, params],
    ['PUT', `${ofQueue}/resume`, params],
    ['PUT', '/api/queues/pause', {}],
    ['PUT', `${ofQueue}/retry/:queueStatus`, { ...params, queueStatus: 'failed' }],
    ['PUT', `${ofQueue}/:jobId/retry`, { ...params, jobId: '17' }],
  ])('%s %s: of those who may change things', (method, route, params) => {
    expect(mayPass({ method, route, params }, operator)).toBe(true);
    expect(mayPass({ method, route, params }, open)).toBe(true);
    expect(mayPass({ method, route, params }, reader)).toBe(false);
  });

  test.each([
    ['PUT', `${ofQueue}/empty`, params],
    ['PUT', `${ofQueue}/obliterate`, params],
    ['PUT', `${ofQueue}/clean/:queueStatus`, { ...params, queueStatus: 'wait' }],
    ['PUT', `${ofQueue}/clean/:queueStatus`, { ...params, queueStatus: 'retry' }],
    ['PUT', `${ofQueue}/retry/:queueStatus`, { ...params, queueStatus: 'completed' }],
    ['PUT', `${ofQueue}/:jobId/clean`, { ...params, jobId: '17' }],
    ['POST', `${ofQueue}/add`, params],
    ['PATCH', `${ofQueue}/:jobId/update-data`, { ...params, jobId: '17' }],
    ['DELETE', ofQueue, params],
  ])('%s %s: nobody’s, as it loses records', (method, route, params) => {
    expect(mayPass({ method, route, params }, operator)).toBe(false);
  });

  test('looking is everybody’s, but for what goes past the formatter', () => {
    const look = (route: string) => ({ method: 'GET', route, params: {} });
    expect(mayPass(look('/api/queues'), reader)).toBe(true);
    expect(mayPass(look(`${ofQueue}/:jobId`), reader)).toBe(true);
    expect(mayPass(look(`${ofQueue}/:jobId/flow`), reader)).toBe(false);
    expect(mayPass(look(`${ofQueue}/:jobId/flow`), operator)).toBe(true);
  });
});

describe('data that was not read', () => {
  const head = '{"v":1,"producer":"p-1","epoch":5,"seq":7,"records":[{"input":"their input"';

  test.each([true, false])('is told by its size and its producer, and shows nothing of a record: %s', (reveals) => {
    expect(describeChunk(new UnreadData(2_100_000, head), reveals)).toEqual({
      ...{ v: 1, producer: 'p-1', epoch: 5, seq: 7, bytes: 2_100_000 },
      notShown: "the job's data of 2.0 MiB is too large to be shown here",
    });
  });

  test('is told of by its producer, too, where its head names a session or is compressed', () => {
    for (const rest of ['"life":"a1","seq":7,"records":[', '"seq":7,"encoding":"zstd"', '"seq":7,"requestId":"r"'])
      expect(new UnreadData(5, `{"v":3,"producer":"p-1","epoch":5,${rest}`).describe()).toMatchObject({
        ...{ v: 3, producer: 'p-1', epoch: 5, seq: 7 },
      });
  });

  test.each(['{"their":"input"', '{"v":1,"producer":"<their>"', 'their', '\uFFFD'])(
    'of others is told by its size only: %s',
    (text) => {
      expect(describeChunk(new UnreadData(5_000_000, text), true)).toEqual({
        bytes: 5_000_000,
        notShown: "the job's data of 4.8 MiB is too large to be shown here",
      });
    },
  );

  test('may be no JSON', () => {
    expect(describeChunk(new UnreadData(3, ''), true)).toEqual({
      bytes: 3,
      notShown: "the job's data of 3 B is not JSON",
    });
  });
});

describe('turns of reading', () => {
  test('one reads at a time, in the order in which they came', async () => {
    const turns = createReadingTurns({ maxWaiting: 5, maxWaitMs: 60_000 });
    const order: number[] = [];
    const endFirst = await turns.begin();
    const second = turns.begin().then((end) => [order.push(2), end()]);
    const third = turns.begin().then((end) => [order.push(3), end()]);
    expect(order).toEqual([]);
    endFirst();
    endFirst();
    await Promise.all([second, third]);
    expect(order).toEqual([2, 3]);
    (await turns.begin())();
  });

  test('who comes when too many wait, or waits too long, is refused, and takes no turn', async () => {
    const turns = createReadingTurns({ maxWaiting: 1, maxWaitMs: 50 });
    const end = await turns.begin();
    const waiting = turns.begin();
    await expect(turns.begin()).rejects.toMatchObject({ body: { status: 503 } });
    await expect(waiting).rejects.toMatchObject({ body: { status: 503 } });
    end();
    (await turns.begin())();
  });
});
