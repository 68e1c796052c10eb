import { expect, test } from 'vitest';
import { jobName } from '../../../shared/contracts/queues.ts';
import { replayProducer } from '../../../shared/contracts/replay.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, until } from '../../support/fixtures.ts';

/** What only concerns the table of dead letters costs good records nothing, and dead ones no more than time. */

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
const badText = (number: number): string => JSON.stringify({ ...JSON.parse(recordText(number)), strategyId: 7 });
/** Of each ten one is bad. */
const textOf = (number: number): string => (number % 10 === 3 ? badText(number) : recordText(number));
const isGood = (number: number): boolean => number % 10 !== 3;
const jobsOf = (count: number): string[][] => numbers(count / 10).map((job) => numbers(10, job * 10).map(textOf));

type Fleet = Awaited<ReturnType<typeof anExecutionFleet>>;

/** Each breaks the table for dead letters, and mends it again. */
const troubles: [name: string, breakIt: (fleet: Fleet) => Promise<() => Promise<unknown>>][] = [
  [
    'is locked',
    async ({ databaseUrl }) => {
      const holder = await connect(databaseUrl);
      await holder.query('begin; lock table dead_letter in access exclusive mode');
      return () => holder.query('rollback');
    },
  ],
  [
    'is missing',
    async ({ client }) => {
      await client.query('alter table dead_letter rename to elsewhere');
      return () => client.query('alter table elsewhere rename to dead_letter');
    },
  ],
  [
    'has a check that nothing passes',
    async ({ client }) => {
      await client.query('alter table dead_letter add constraint never check (false) not valid');
      return () => client.query('alter table dead_letter drop constraint never');
    },
  ],
  ...(['42501', '53100', '25006', 'XX000', 'ZZ001', '22P05', '54000', '23505', '57P01'] as const).map(
    (code): (typeof troubles)[number] => [
      `answers ${code}`,
      async ({ client }) => {
        await client.query(`create function no_letters() returns trigger language plpgsql as
          'begin raise exception ''no'' using errcode = ''${code}''; end'`);
        await client.query('create trigger no before insert on dead_letter execute function no_letters()');
        return () => client.query('drop trigger no on dead_letter');
      },
    ],
  ),
];

test.each(troubles)(
  'dead letters: while their table %s good records are stored, and no job fails; then the dead letters are written',
  async (_name, breakIt) => {
    const fleet = await anExecutionFleet({ SLUICE_DEAD_SHARE_MIN_RECORDS: '50', SLUICE_JOB_DELAY_MS: '400' });
    const { queue, add, start, ids, deadLetters, empty } = fleet;
    const mend = await breakIt(fleet);
    const worker = await start();
    await add(...jobsOf(100));
    await until(async () => (await ids()).length === 90);
    expect(await ids()).toEqual(numbers(100).filter(isGood).map(idOf));
    // Many times over, so that each record would be counted many times.
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'dead_letters' })) >= 30);
    expect(await worker.metric('sluice_dead_letters_blocked', {})).toBe(1);
    expect(await worker.metric('sluice_worker_halted', {})).toBe(0);
    expect(await worker.metric('sluice_database_outage', {})).toBe(0);
    // Good records go on meanwhile, in jobs with and without a bad one.
    await add(...jobsOf(20).map((texts) => texts.map((text) => text.replaceAll('000000000', '0000000f0'))));
    await until(async () => (await ids()).length === 108);
    expect(await queue.getFailedCount()).toBe(0);

    await mend();
    await empty();
    expect(await deadLetters()).toHaveLength(12);
    expect(await worker.metric('sluice_records_total', { outcome: 'dead' })).toBe(12);
    expect(await worker.metric('sluice_records_total', { outcome: 'stored' })).toBe(108);
    expect(await worker.metric('sluice_dead_letters_blocked', {})).toBe(0);
    expect(await worker.metric('sluice_worker_halted', {})).toBe(0);
    expect(await queue.getFailedCount()).toBe(0);
  },
);

test('dead letters: a worker that stops while none can be written hands its jobs back', async () => {
  const fleet = await anExecutionFleet();
  const { databaseUrl, queue, add, start, deadLetters, empty } = fleet;
  const holder = await connect(databaseUrl);
  await holder.query('begin; lock table dead_letter in access exclusive mode');
  const worker = await start();
  await add(...jobsOf(50));
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'dead_letters' })) >= 5);
  expect(await worker.stop()).toBe(true);
  expect(await queue.getFailedCount()).toBe(0);
  await holder.query('rollback');
  await start();
  await empty();
  expect(await deadLetters()).toHaveLength(5);
});

test('dead letters: a replayed record is stored while its dead letter is held, and the dead letter is told so when it is let go', async () => {
  const { databaseUrl, client, queue, add, start, ids, empty } = await anExecutionFleet();
  const { rows } = await client.query<{ id: string }>(
    `insert into dead_letter (queue, record_key, payload, code, reason, signature, state)
     values ('execution-log', 'key', '{}', 'schema', 'r', 's', 'replayed') returning id`,
  );
  const [deadLetter] = rows;
  if (deadLetter === undefined) throw new Error('no dead letter was made');
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('select from dead_letter for update');
  const worker = await start();
  const records = [JSON.parse(recordText(1))];
  await queue.add(jobName, { v: 1, producer: replayProducer(deadLetter.id), epoch: 1, seq: 1, records });
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'dead_letters' })) >= 1);
  await add(...jobsOf(20).map((texts) => texts.filter((_text, index) => isGood(index)).slice(2)));
  await until(async () => (await ids()).length >= 15);
  expect(await ids()).toContain(idOf(1));
  await holder.query('rollback');
  await empty();
  expect((await client.query('select state from dead_letter')).rows).toEqual([{ state: 'stored' }]);
  expect(await queue.getFailedCount()).toBe(0);
});
