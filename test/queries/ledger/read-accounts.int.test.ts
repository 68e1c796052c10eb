import { expect, inject, onTestFinished, test } from 'vitest';
import type { AccountsQuestion } from '../../../queries/ledger/read-accounts.ts';
import { readAccounts } from '../../../queries/ledger/read-accounts.ts';
import { mostLives } from '../../../queries/ledger/read-lives.ts';
import { jobName, queuePrefix, type ShardName } from '../../../shared/contracts/queues.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { asRole, connect, createNamespace, createTestDatabase, openQueue } from '../../support/fixtures.ts';
import { aLife, type Fate, insertChunk, insertLife, insertMinute, type TestLife } from '../../support/ledger-rows.ts';
import { targetOf } from '../../support/redis-target.ts';

/** Half past, ten minutes ago at least: every report of the minutes has come. */
const minute = Math.floor(Date.now() / 60_000) - 20;
const window = { since: new Date((minute - 5) * 60_000), until: new Date((minute + 10) * 60_000) };

async function aLedger() {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const database = createDatabase(
    loadConfig({ DATABASE_URL: asRole(databaseUrl, 'console') }, ['database']).database,
    'test',
  );
  const namespace = createNamespace();
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'consumer', name: 'test', logger: null });
  await redis.connect();
  onTestFinished(async () => {
    redis.disconnect();
    await database.$disconnect();
  });
  return {
    client,
    namespace,
    redis,
    read: (rest: Partial<AccountsQuestion> = {}) => readAccounts(database, { redis, namespace }, { window, ...rest }),
    readWithoutRedis: () => readAccounts(database, null, { window }),
  };
}

type Ledger = Awaited<ReturnType<typeof aLedger>>;

/** A job with the id of a chunk, as its producer would have added it. */
async function addJob(
  { namespace }: Ledger,
  life: TestLife,
  chunk: { seq: number; before: number; records: number },
  shard: ShardName = life.queue,
) {
  const { producer, epoch, life: name } = life;
  const data = {
    ...{
      v: 4,
      producer,
      epoch,
      life: name,
      seq: chunk.seq,
      before: chunk.before,
      of: [['acme', minute, chunk.records]],
    },
    records: Array.from({ length: chunk.records }, () => ({})),
  };
  return openQueue(namespace, inject('redisUrl'), shard).add(jobName, data, {
    jobId: `${producer}.${epoch}.${name}.${chunk.seq}`,
  });
}

const terms = (some: Record<string, number>) => ({
  ...{ recorded: 0, stored: 0, duplicate: 0, sampledOut: 0, disabled: 0, dropped: 0, refused: 0, dead: 0, handed: 0 },
  ...{ inFlight: 0, uncertain: 0, missing: 0, unexplained: 0 },
  ...some,
});

/** A life of 600 records in three chunks of two realms and two minutes, of which producers and workers have counted all. */
async function aWholeLife({ client }: Ledger, { without = [] as number[], report = {} } = {}) {
  const life = aLife();
  const chunks = [
    {
      seq: 1,
      before: 0,
      of: [
        ['acme', minute, 100],
        ['borealis', minute, 50],
        ['acme', minute, 50],
      ],
    },
    {
      seq: 2,
      before: 200,
      of: [
        ['borealis', minute, 50],
        ['acme', minute + 1, 150],
      ],
    },
    { seq: 3, before: 400, of: [['acme', minute + 1, 200]] },
  ] as const;
  for (const chunk of chunks) if (!without.includes(chunk.seq)) await insertChunk(client, life, chunk);
  await insertMinute(client, life, minute, 'acme', { recorded: 170, sampledOut: 20, chunked: 150, sent: 150 });
  await insertMinute(client, life, minute, 'borealis', {
    recorded: 107,
    dropped: { bufferFull: 7 },
    chunked: 100,
    sent: 100,
  });
  await insertMinute(client, life, minute + 1, 'acme', { recorded: 350, chunked: 350, sent: 350 });
  await insertLife(client, life, { lastSeq: 3, chunkedRecords: 600, ...report });
  return life;
}

test('accounts: of a life whose chunks have all come, each record has its place, by producer, realm and minute', async () => {
  const ledger = await aLedger();
  const { producer } = await aWholeLife(ledger);
  const answer = await ledger.read();
  const whole = terms({ recorded: 627, stored: 600, sampledOut: 20, dropped: 7 });
  expect(answer.total).toEqual(whole);
  expect(answer.verdict.state).toBe('balanced');
  expect(answer.droppedBy).toEqual([{ reason: 'bufferFull', records: 7 }]);
  expect(answer.producers).toEqual([
    {
      ...whole,
      queue: 'execution-log',
      producer,
      kind: 'execution-observer',
      lives: 1,
      uncertainUpTo: 0,
      clockOffSeconds: null,
    },
  ]);
  expect(answer.realms).toEqual([
    { ...terms({ recorded: 520, stored: 500, sampledOut: 20 }), queue: 'execution-log', realm: 'acme' },
    { ...terms({ recorded: 107, stored: 100, dropped: 7 }), queue: 'execution-log', realm: 'borealis' },
  ]);
  expect(answer.series.bucketMs).toBe(60_000);
  const filled = answer.series.buckets.filter(({ recorded }) => recorded > 0);
  expect(filled).toEqual([
    {
      ...terms({ recorded: 277, stored: 250, sampledOut: 20, dropped: 7 }),
      since: new Date(minute * 60_000),
      until: new Date((minute + 1) * 60_000),
    },
    {
      ...terms({ recorded: 350, stored: 350 }),
      since: new Date((minute + 1) * 60_000),
      until: new Date((minute + 2) * 60_000),
    },
  ]);
  expect(answer.gaps).toEqual([]);
});

test('accounts: a chunk that is nowhere is missing, with its number, its realms and its minutes', async () => {
  const ledger = await aLedger();
  const life = await aWholeLife(ledger, { without: [2] });
  const answer = await ledger.read();
  expect(answer.total).toEqual(terms({ recorded: 627, stored: 400, sampledOut: 20, dropped: 7, missing: 200 }));
  expect(answer.verdict).toMatchObject({ state: 'missing', text: expect.stringMatching(/^200 records are missing/) });
  expect(answer.gaps).toEqual([
    {
      ...{ queue: 'execution-log', producer: life.producer, life: `${life.producer}.${life.epoch}.${life.life}` },
      ...{ state: 'missing', fromSeq: 2, untilSeq: 2, records: 200 },
      ...{ since: new Date(minute * 60_000), until: new Date((minute + 1) * 60_000) },
    },
  ]);
  expect(answer.realms.map(({ realm, missing, unexplained }) => [realm, missing, unexplained])).toEqual([
    ['acme', 150, 0],
    ['borealis', 50, 0],
  ]);
  expect(answer.series.buckets.every(({ unexplained }) => unexplained === 0)).toBe(true);
});

test('accounts: the first and the last chunks of a life can be missing, too, and all of them', async () => {
  const ledger = await aLedger();
  const first = await aWholeLife(ledger, { without: [1] });
  const last = await aWholeLife(ledger, { without: [3] });
  const all = await aWholeLife(ledger, { without: [1, 2, 3] });
  const { gaps, total } = await ledger.read();
  expect(
    gaps.map(({ producer, fromSeq, untilSeq, records, state }) => [producer, fromSeq, untilSeq, records, state]),
  ).toEqual([
    [all.producer, 1, 3, 600, 'missing'],
    [first.producer, 1, 1, 200, 'missing'],
    [last.producer, 3, 3, 200, 'missing'],
  ]);
  expect(total).toMatchObject({ missing: 1_000, unexplained: 0 });
});

test('accounts: what is still in Redis is in flight, on whichever shard; what is in the failed set is told', async () => {
  const ledger = await aLedger();
  const life = await aWholeLife(ledger, { without: [2, 3] });
  await addJob(ledger, life, { seq: 3, before: 400, records: 200 }, 'execution-log-3');
  const { total, inFlightBy, gaps } = await ledger.read();
  expect(total).toMatchObject({ missing: 200, inFlight: 200, unexplained: 0 });
  expect(inFlightBy).toMatchObject({ queued: 200, failed: 0, unchecked: 0 });
  expect(gaps.map(({ state, fromSeq, untilSeq, records }) => [state, fromSeq, untilSeq, records])).toEqual([
    ['missing', 2, 2, 200],
    ['queued', 3, 3, 200],
  ]);
  const { id } = await addJob(ledger, life, { seq: 2, before: 200, records: 200 });
  const prefix = `${queuePrefix('execution-log', ledger.namespace)}:execution-log`;
  await ledger.redis.lrem(`${prefix}:wait`, 1, String(id));
  await ledger.redis.zadd(`${prefix}:failed`, 1, String(id));
  expect((await ledger.read()).inFlightBy).toMatchObject({ queued: 200, failed: 200 });
  // A finished job that the queue keeps for people to look at holds no record back.
  await ledger.redis.zrem(`${prefix}:failed`, String(id));
  await ledger.redis.zadd(`${prefix}:completed`, 1, String(id));
  expect((await ledger.read()).total).toMatchObject({ missing: 200, inFlight: 200 });
});

test('accounts: without Redis, what has not come is unchecked, and neither missing nor nothing', async () => {
  const ledger = await aLedger();
  await aWholeLife(ledger, { without: [2] });
  const { total, inFlightBy, verdict } = await ledger.readWithoutRedis();
  expect(total).toMatchObject({ missing: 0, inFlight: 200, unexplained: 0 });
  expect(inFlightBy.unchecked).toBe(200);
  expect(verdict.state).toBe('unchecked');
});

test.for([
  [{ agoSeconds: 10 }, { inFlight: 200 }, 'unsent'],
  [{ agoSeconds: 200 }, { uncertain: 200 }, 'uncertain'],
  [{ isFinal: true, spilledRecords: 200 }, { inFlight: 200 }, 'onDisk'],
  [{ isFinal: true }, { dropped: 207 }, 'abandoned'],
] as const)(
  'accounts: what Redis has not acknowledged, of a producer that said %j, is %j',
  async ([report, where, state]) => {
    const ledger = await aLedger();
    await aWholeLife(ledger, { without: [3], report: { unacknowledged: [[3, 3]], ...report } });
    // The chunks came when the report did.
    await ledger.client.query(`update ledger_chunk set first_at = now() - interval '10 minutes'`);
    const { total, gaps } = await ledger.read();
    expect(total).toMatchObject({ recorded: 627, missing: 0, unexplained: 0, ...where });
    expect(gaps.map((gap) => [gap.state, gap.records])).toEqual([[state, 200]]);
  },
);

test('accounts: a producer that ended while it worked may have lost up to what its buffer holds', async () => {
  const ledger = await aLedger();
  const life = await aWholeLife(ledger, {
    report: { lastSeq: 2, chunkedRecords: 400, waitingRecords: 3, agoSeconds: 600 },
  });
  await ledger.client.query(`update ledger_chunk set first_at = now() - interval '9 minutes'`);
  await insertMinute(ledger.client, life, minute + 2, 'acme', { recorded: 3 });
  const { silentLives, verdict, total, uncertainUpTo } = await ledger.read();
  expect(silentLives).toMatchObject([{ producer: life.producer, uncertain: 3, upTo: 10_000 }]);
  expect({ total, uncertainUpTo }).toMatchObject({ total: { missing: 0, uncertain: 3 }, uncertainUpTo: 10_000 });
  expect(verdict.state).toBe('uncertain');
});

test('accounts: what waits with a producer is in flight, as far as its report admits', async () => {
  const ledger = await aLedger();
  const life = await aWholeLife(ledger, { report: { waitingRecords: 5 } });
  await insertMinute(ledger.client, life, minute + 2, 'acme', { recorded: 6 });
  const { total, inFlightBy, verdict } = await ledger.read();
  expect(total).toMatchObject({ inFlight: 5, unexplained: 1 });
  expect(inFlightBy.waiting).toBe(5);
  expect(verdict.state).toBe('disagreeing');
});

test('accounts: producers that still have records are looked at, however many have closed', async () => {
  const ledger = await aLedger();
  const open = Array.from({ length: 50 }, () => aLife());
  for (const life of open) {
    await insertLife(ledger.client, life, { lastSeq: 0, chunkedRecords: 0, waitingRecords: 1 });
    await insertMinute(ledger.client, life, minute, 'acme', { recorded: 1 });
  }
  const closed = aLife();
  await insertLife(ledger.client, closed, { lastSeq: 0, chunkedRecords: 0, isFinal: true });
  await insertMinute(ledger.client, closed, minute, 'acme', { recorded: 1, sampledOut: 1 });
  for (const table of ['ledger_life', 'ledger_minute'])
    await ledger.client.query(
      `insert into ${table} select copy.* from ${table} as one, generate_series(1, 6000) as number,
         jsonb_populate_record(one, jsonb_build_object('life', number::text)) as copy where one.producer = $1`,
      [closed.producer],
    );
  const { total, inFlightBy } = await ledger.read();
  expect(total).toMatchObject({ recorded: 6_051, sampledOut: 6_001, inFlight: 50, unexplained: 0 });
  expect(inFlightBy.waiting).toBe(50);
});

test('accounts: duplicates, dead letters and what a worker has begun with are told by realm; without a job the rest is missing', async () => {
  const ledger = await aLedger();
  const life = aLife();
  const fates: Fate[] = [...['stored', 'duplicate', 'dead', 'stored'], ...['stored', 'dead', 'open', 'open']] as Fate[];
  await insertChunk(ledger.client, life, {
    seq: 1,
    before: 0,
    of: [
      ['acme', minute, 4],
      ['borealis', minute, 4],
    ],
    fates,
  });
  for (const realm of ['acme', 'borealis'])
    await insertMinute(ledger.client, life, minute, realm, { recorded: 4, chunked: 4, sent: 4 });
  await insertLife(ledger.client, life, { lastSeq: 1, chunkedRecords: 8 });
  const job = await addJob(ledger, life, { seq: 1, before: 0, records: 8 });
  const busy = await ledger.read();
  expect(busy.realms).toEqual([
    { ...terms({ recorded: 4, stored: 2, duplicate: 1, dead: 1 }), queue: 'execution-log', realm: 'acme' },
    { ...terms({ recorded: 4, stored: 1, dead: 1, inFlight: 2 }), queue: 'execution-log', realm: 'borealis' },
  ]);
  await job.remove();
  const gone = await ledger.read();
  expect(gone.total).toEqual(terms({ recorded: 8, stored: 3, duplicate: 1, dead: 2, missing: 2 }));
  expect(gone.gaps).toMatchObject([{ state: 'missing', fromSeq: 1, untilSeq: 1, records: 2 }]);
});

test('accounts: a chunk that its producer sent in parts is in flight while one of them is in Redis, and what Redis refused is not missing', async () => {
  const ledger = await aLedger();
  const life = aLife();
  const fates = ['stored', 'stored', 'open', 'open'] as Fate[];
  await insertChunk(ledger.client, life, { seq: 1, before: 0, of: [['acme', minute, 4]], fates });
  await insertMinute(ledger.client, life, minute, 'acme', { recorded: 4, chunked: 4, sent: 3, refused: 1 });
  await insertLife(ledger.client, life, { lastSeq: 1, chunkedRecords: 4 });
  const id = `${life.producer}.${life.epoch}.${life.life}.1.2-3`;
  const job = await openQueue(ledger.namespace).add(jobName, {}, { jobId: id });
  expect((await ledger.read()).total).toMatchObject({ missing: 0, refused: 1 });
  await job.remove();
  expect((await ledger.read()).total).toEqual(terms({ recorded: 4, stored: 2, refused: 1, missing: 1 }));
});

test('accounts: a minute that no report covers yet counts as its chunks have it', async () => {
  const ledger = await aLedger();
  const life = aLife();
  await insertChunk(ledger.client, life, { seq: 1, before: 0, of: [['acme', minute, 4]] });
  await insertChunk(ledger.client, life, { seq: 3, before: 9, of: [['acme', minute, 4]] });
  const { total, gaps, producers } = await ledger.read();
  // The chunk between them may not have left its producer.
  expect(total).toEqual(terms({ recorded: 13, stored: 8, inFlight: 5 }));
  expect(gaps).toMatchObject([{ state: 'unsent', fromSeq: 2, untilSeq: 2, records: 5 }]);
  expect(producers).toMatchObject([{ kind: null }]);
});

test('accounts: two windows that meet share no record, and a gap is in the one of its minutes', async () => {
  const ledger = await aLedger();
  await aWholeLife(ledger, { without: [2] });
  const at = new Date((minute + 1) * 60_000);
  const before = await ledger.read({ window: { since: window.since, until: at } });
  const after = await ledger.read({ window: { since: at, until: window.until } });
  expect(before.total).toEqual(terms({ recorded: 277, stored: 200, sampledOut: 20, dropped: 7, missing: 50 }));
  expect(after.total).toEqual(terms({ recorded: 350, stored: 200, missing: 150 }));
});

test('accounts: what a Python client handed to the gateway is recorded once', async () => {
  const ledger = await aLedger();
  const python = aLife({ queue: 'completed-request' });
  await insertMinute(ledger.client, python, minute, null, { recorded: 10, dropped: { bufferFull: 2 }, handed: 8 });
  await insertLife(ledger.client, python, { kind: 'python', lastSeq: 0, chunkedRecords: 0 });
  const gateway = aLife({ queue: 'completed-request' });
  await insertChunk(ledger.client, gateway, { seq: 1, before: 0, of: [[null, minute, 8]] });
  await insertMinute(ledger.client, gateway, minute, null, { recorded: 8, chunked: 8, sent: 8 });
  await insertLife(ledger.client, gateway, { kind: 'gateway', lastSeq: 1, chunkedRecords: 8 });
  const { total, producers, realms } = await ledger.read();
  expect(total).toEqual(terms({ recorded: 10, stored: 8, dropped: 2 }));
  expect(realms).toEqual([{ ...total, queue: 'completed-request', realm: null }]);
  expect(producers.find(({ kind }) => kind === 'python')).toMatchObject({ recorded: 10, handed: 8, unexplained: 0 });
});

test('accounts: what a gateway refused of a client does not wait with the client as well', async () => {
  const ledger = await aLedger();
  const client = aLife({ producer: 'python-1' });
  await insertMinute(ledger.client, client, minute, null, { recorded: 10, refused: 3, handed: 5 });
  await insertLife(ledger.client, client, { kind: 'python', lastSeq: 0, chunkedRecords: 0, waitingRecords: 2 });
  const { producers } = await ledger.read();
  expect(producers[0]).toMatchObject({ recorded: 10, refused: 3, handed: 5, inFlight: 2, unexplained: 0 });
});

test('accounts: by producer, queue and realm', async () => {
  const ledger = await aLedger();
  const one = await aWholeLife(ledger, { without: [2] });
  await aWholeLife(ledger);
  expect((await ledger.read({ producer: one.producer })).total).toMatchObject({ recorded: 627, missing: 200 });
  expect((await ledger.read({ realm: 'borealis' })).total).toEqual(
    terms({ recorded: 214, stored: 150, dropped: 14, missing: 50 }),
  );
  expect((await ledger.read({ queue: 'completed-request' })).total).toEqual(terms({}));
});

test('accounts: a life whose clock is off is named with how much, though its minutes are in another window', async () => {
  const ledger = await aLedger();
  const ahead = aLife();
  const day = 1_440;
  await insertChunk(ledger.client, ahead, { seq: 1, before: 0, of: [['acme', minute + day, 4]] });
  await insertMinute(ledger.client, ahead, minute + day, 'acme', { recorded: 4, chunked: 4, sent: 4 });
  await insertLife(ledger.client, ahead, { lastSeq: 1, chunkedRecords: 4, behindSeconds: -86_400 });
  const { clocks, total } = await ledger.read();
  expect(clocks).toMatchObject([{ producer: ahead.producer, offSeconds: 86_400 }]);
  expect(total).toEqual(terms({}));
  const theirs = {
    since: new Date(window.since.getTime() + day * 60_000),
    until: new Date(window.until.getTime() + day * 60_000),
  };
  expect((await ledger.read({ window: theirs })).producers).toMatchObject([{ stored: 4, clockOffSeconds: 86_400 }]);
});

test('accounts: a window is of 29 days at most, and says so; buckets of parts of minutes are refused', async () => {
  const ledger = await aLedger();
  const until = new Date(Math.ceil(Date.now() / 60_000) * 60_000);
  const since = new Date(until.getTime() - 40 * 86_400_000);
  const kept = { since: new Date(until.getTime() - 29 * 86_400_000), until };
  expect(await ledger.read({ window: { since, until } })).toMatchObject({ window: kept, verdict: { state: 'empty' } });
  expect((await ledger.read({ window: { since: null, until } })).window).toEqual(kept);
  await expect(ledger.read({ bucketMs: 90_000 })).rejects.toThrow(UsageError);
});

test('accounts: of more lives than can be looked at, those with a gap come first, and the others are counted', async () => {
  const ledger = await aLedger();
  const { client } = ledger;
  // Complete, said goodbye, and newer than those below.
  await client.query(
    `with life as (select 'other-' || n as producer, 1800000000000 + n as epoch from generate_series(1, $1) as n),
     chunk as (
       insert into ledger_chunk (day_at, producer, epoch, life, queue, seq, before, total, parts, stored, seen, stored_places, seen_places,
         dead_places, settled_at)
       select to_timestamp($2::bigint * 60), producer, epoch, 'a', 'execution-log', 1, 0, 1, jsonb_build_array(jsonb_build_array('acme', $2::bigint, 1)),
         1, 1, B'1', B'1', B'0', now() from life
     ), told as (
       insert into ledger_minute (producer, epoch, life, queue, minute_at, realm, recorded, sampled_out, disabled, dropped, dropped_by, refused,
         chunked, sent, handed)
       select producer, epoch, 'a', 'execution-log', to_timestamp($2::bigint * 60), 'acme', 1, 0, 0, 0, '{}', 0, 1, 1, 0 from life
     )
     insert into ledger_life (producer, epoch, life, queue, kind, report, reported_at, first_at, last_at, lag_ms, least_lag_ms, is_final,
       last_seq, chunked_records, waiting_records, unacknowledged, spilled_records, taken_over_records, recorded, sampled_out, disabled,
       dropped, dropped_by, refused, chunked, sent, handed)
     select producer, epoch, 'a', 'execution-log', 'execution-observer', 1, now(), now(), now(), 0, 0, true, 1, 1, 0, '[]', 0, 0, 1, 0, 0, 0, '{}',
       0, 1, 1, 0 from life`,
    [mostLives + 10, minute],
  );
  await aWholeLife(ledger, { without: [2], report: { isFinal: true } });
  const begun = aLife();
  await insertChunk(client, begun, {
    ...{ seq: 1, before: 0, of: [['acme', minute, 2]], fates: ['stored', 'open'] },
  });
  await insertMinute(client, begun, minute, 'acme', { recorded: 2, chunked: 2, sent: 2 });
  await insertLife(client, begun, { lastSeq: 1, chunkedRecords: 2, isFinal: true });
  const { total, verdict, gaps, livesLeftOut } = await ledger.read();
  expect(livesLeftOut).toBe(12);
  expect(total).toMatchObject({ recorded: mostLives + 10 + 627 + 2, missing: 200 + 1, unexplained: 0 });
  expect(gaps.map(({ records }) => records)).toEqual([200, 1]);
  expect(verdict.state).toBe('missing');
  expect((await ledger.read({ producer: begun.producer })).livesLeftOut).toBe(0);
});
