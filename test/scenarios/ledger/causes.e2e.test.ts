import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { stopProcess } from '../../../dev/servers/processes.ts';
import { startRedis } from '../../../dev/servers/redis.ts';
import { aBooksFleet, expectSides } from '../../support/books.ts';
import { triggerSql } from '../../support/execution-fleet.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { clockAhead } from '../../support/shifted-clock.ts';

const namesOf = (label: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${label}-${n}`);
const lacking = (names: readonly string[], stored: ReadonlySet<string>): number =>
  names.filter((name) => !stored.has(name)).length;

test('books: what a full buffer drops is dropped to the record', async () => {
  const fleet = await aBooksFleet();
  await fleet.startWorker();
  const producer = await fleet.startProducer({ DSL_EXECUTION_LOG_QUEUE_MAXSIZE: '300' });
  await producer.record(2_000);
  await producer.until(({ waiting }) => waiting === 0);
  await producer.close();
  await fleet.empty();
  const { names, rows } = await fleet.count();
  const dropped = lacking(namesOf('record', 2_000), names);
  expect(dropped).toBeGreaterThan(1_000);
  const { books, exitCode } = await fleet.ledger();
  expectSides('Dropped by a full buffer', books, {
    truth: { recorded: 2_000, stored: 2_000 - dropped, dropped },
    counted: { stored: rows, dropped },
  });
  expect({ exitCode, droppedBy: books.droppedBy }).toEqual({
    exitCode: 0,
    droppedBy: [{ reason: 'bufferFull', records: dropped }],
  });
});

test('books: what Redis lost after it had acknowledged it is missing to the record, with its chunks', async () => {
  const options = {
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'redis'),
    sync: 'always',
  } as const;
  let server = await startRedis(options);
  onTestFinished(() => server.stop());
  const fleet = await aBooksFleet(server.url);
  const producer = await fleet.startProducer();
  await producer.record(500, { label: 'kept' });
  await producer.until(({ sent }) => sent === 500);
  // As after a restart with appendfsync everysec: the last writes are not on disk. Here they are those since this copy.
  const copy = `${options.dir}-copy`;
  await cp(options.dir, copy, { recursive: true });
  await producer.record(230, { label: 'lost' });
  await producer.until(({ sent }) => sent === 730);
  await stopProcess(server.pid, 'SIGKILL', 10_000);
  await rm(options.dir, { recursive: true });
  await cp(copy, options.dir, { recursive: true });
  server = await startRedis({ ...options, port: server.port });
  await producer.record(100, { label: 'later' });
  await producer.until(({ sent }) => sent === 830);
  await fleet.startWorker();
  await producer.close();
  await fleet.empty();
  const { names, rows } = await fleet.count();
  const { books, exitCode } = await fleet.ledger();
  expectSides('Redis lost its last writes', books, {
    truth: { recorded: 830, stored: 600, missing: 230 },
    counted: {
      stored: rows,
      missing: lacking([...namesOf('kept', 500), ...namesOf('lost', 230), ...namesOf('later', 100)], names),
    },
  });
  expect(exitCode).toBe(1);
  expect(books.gaps.reduce((sum, { records }) => sum + records, 0)).toBe(230);
});

test('books: a job that somebody deleted is missing, with the number of its chunk', async () => {
  const fleet = await aBooksFleet();
  const producer = await fleet.startProducer();
  await producer.record(400);
  await producer.until(({ sent }) => sent === 400);
  const jobs = (await fleet.queue.getJobs(['waiting'])).filter(({ name }) => name === 'chunk');
  const victim = jobs.find(({ id }) => id?.endsWith('.3')) ?? expect.unreachable();
  await victim.remove();
  const waiting = await fleet.ledger();
  // Nothing has reached a worker: what is in Redis is in flight, and no report has come through either.
  expect(waiting.books.total).toMatchObject({ stored: 0, missing: 0 });
  await fleet.startWorker();
  await producer.close();
  await fleet.empty();
  const { names, rows } = await fleet.count();
  const missing = lacking(namesOf('record', 400), names);
  const { books, exitCode } = await fleet.ledger();
  expectSides('A job deleted by hand', books, {
    truth: { recorded: 400, stored: 350, missing: 50 },
    counted: { stored: rows, missing },
  });
  expect(exitCode).toBe(1);
  expect(books.gaps).toMatchObject([{ state: 'missing', fromSeq: 3, untilSeq: 3, records: 50 }]);
});

test('books: dead letters are dead, and in the same books', async () => {
  const fleet = await aBooksFleet();
  await fleet.client.query(
    triggerSql(
      `if new.case_name in ('record-7', 'record-120') then raise exception 'odd' using errcode = '22000'; end if;`,
    ),
  );
  await fleet.startWorker();
  const producer = await fleet.startProducer();
  await producer.record(300);
  await producer.until(({ sent }) => sent === 300);
  await producer.close();
  await fleet.empty();
  const { rows, dead } = await fleet.count();
  const { books } = await fleet.ledger();
  expectSides('Dead letters', books, {
    truth: { recorded: 300, stored: 298, dead: 2 },
    counted: { stored: rows, dead },
  });
});

test('books: a producer that is killed leaves an uncertainty, within bounds that hold', async () => {
  const fleet = await aBooksFleet();
  await fleet.startWorker();
  const producer = await fleet.startProducer({ SLUICE_CHUNK_MAX_WAIT_MS: '60000' });
  await producer.record(100);
  await producer.until(({ sent }) => sent === 100);
  // Less than a chunk: it waits in memory, and a report tells of it.
  await producer.record(37, { label: 'lost' });
  await until(async () => {
    const { rows } = await fleet.client.query('select waiting_records::int as n from ledger_life');
    return rows[0]?.n === 37;
  });
  await producer.kill();
  await fleet.empty();
  await fleet.age(600);
  const { names, rows } = await fleet.count();
  const { books, exitCode } = await fleet.ledger();
  expectSides('A producer killed without a spill', books, {
    truth: { recorded: 137, stored: 100, uncertain: 37 },
    counted: { stored: rows, uncertain: lacking([...namesOf('record', 100), ...namesOf('lost', 37)], names) },
  });
  expect(books.silentLives).toMatchObject([{ uncertain: 37, upTo: 37 }]);
  expect({ exitCode, state: books.verdict.state }).toEqual({ exitCode: 0, state: 'uncertain' });
});

test('books: what a killed producer had on disk comes with its next session, and then nothing is uncertain', async () => {
  const redis = await startFragileRedis();
  const fleet = await aBooksFleet(redis.url);
  const spill = { SLUICE_SPILL_DIR: await createDirectory() };
  await fleet.startWorker();
  const producer = await fleet.startProducer(spill);
  await producer.record(100);
  await producer.until(({ sent }) => sent === 100);
  await fleet.empty();
  await redis.kill();
  await producer.record(150, { label: 'spilled' });
  await producer.until(({ spilled }) => spilled === 150);
  await producer.kill();
  await redis.startAgain();
  await fleet.age(600);
  const next = await fleet.startProducer(spill);
  await next.record(1, { label: 'next' });
  await until(async () => (await fleet.count()).rows === 251);
  await next.close();
  await fleet.empty();
  const { names, rows } = await fleet.count();
  const { books } = await fleet.ledger();
  expect(lacking(namesOf('spilled', 150), names)).toBe(0);
  expectSides('A producer killed with a spill', books, {
    truth: { recorded: 251, stored: 251 },
    counted: { stored: rows },
  });
});

test('books: a worker that is killed in the middle of a chunk leaves what it had stored; the rest is in flight until it is stored', async () => {
  const fleet = await aBooksFleet();
  // The record at fault makes the worker write the others in parts, and one of them waits until the test has looked in between.
  await fleet.client.query('create table hold as select 1');
  await fleet.client.query(
    triggerSql(`if new.case_name = 'record-3' then raise exception 'odd' using errcode = '22000'; end if;
      if new.case_name = 'record-49' and exists (select from ledger_chunk where stored > 0) then
        while exists (select from hold) loop perform pg_sleep(0.05); end loop;
      end if;`),
  );
  const worker = await fleet.startWorker();
  const producer = await fleet.startProducer();
  await producer.record(50);
  await producer.until(({ sent }) => sent === 50);
  await until(async () => {
    const { rows } = await fleet.client.query('select stored::int, total::int from ledger_chunk');
    return rows[0] !== undefined && rows[0].stored > 0 && rows[0].stored < rows[0].total;
  });
  worker.kill('SIGKILL');
  await worker.ended;
  const between = await fleet.count();
  const partial = await fleet.ledger();
  expect(between.rows).toBeGreaterThan(0);
  expectSides('A worker killed within a chunk', partial.books, {
    truth: { recorded: 50, stored: between.rows, dead: between.dead, inFlight: 50 - between.rows - between.dead },
    counted: { stored: between.rows },
  });
  await fleet.client.query('delete from hold');
  await fleet.client.query('drop trigger odd on strategy_execution_log');
  await fleet.startWorker();
  await producer.close();
  await until(async () => (await fleet.count()).rows === 50 - (await fleet.count()).dead);
  await fleet.empty();
  const { rows, dead } = await fleet.count();
  const { books } = await fleet.ledger();
  expectSides('… and after another worker', books, {
    truth: { recorded: 50, stored: 50 - dead, dead },
    counted: { stored: rows, dead },
  });
});

test('books: a producer whose clock is hours ahead balances, in its own minutes, and is named', async () => {
  const fleet = await aBooksFleet();
  await fleet.startWorker();
  const producer = await fleet.startProducer({ ...clockAhead(5 * 3_600_000) });
  await producer.record(120);
  await producer.until(({ sent }) => sent === 120);
  await producer.close();
  await fleet.empty();
  const { rows } = await fleet.count();
  const { books } = await fleet.ledger();
  expectSides('A clock five hours ahead', books, { truth: { recorded: 120, stored: 120 }, counted: { stored: rows } });
  expect(books.clocks).toHaveLength(1);
  expect(books.clocks[0]?.offSeconds).toBeGreaterThan(5 * 3_600 - 60);
});

test('books: what is recorded again with the same ids is a duplicate', async () => {
  const fleet = await aBooksFleet();
  await fleet.startWorker();
  const recordedAtMs = Date.now();
  const first = await fleet.startProducer();
  await first.record(200, { label: 'once', recordedAtMs });
  await first.until(({ sent }) => sent === 200);
  await first.close();
  await fleet.empty();
  const again = await fleet.startProducer();
  await again.record(80, { label: 'twice', idsOf: 'once', recordedAtMs });
  await again.until(({ sent }) => sent === 80);
  await again.close();
  await fleet.empty();
  const { rows } = await fleet.count();
  const { books } = await fleet.ledger();
  expectSides('The same records twice', books, {
    truth: { recorded: 280, stored: 200, duplicate: 80 },
    counted: { stored: rows, duplicate: 280 - rows },
  });
});
