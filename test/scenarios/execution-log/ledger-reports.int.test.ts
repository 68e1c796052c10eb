import { expect, test } from 'vitest';
import type { LedgerCounters, LedgerReport } from '../../../shared/contracts/ledger-report.ts';
import { reportId } from '../../../shared/contracts/ledger-report.ts';
import { reportJobName } from '../../../shared/contracts/queues.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, until } from '../../support/fixtures.ts';
import { life, minute } from '../../support/ledger.ts';

const aReport = (number: number, overrides: Partial<LedgerReport> = {}): LedgerReport => ({
  number,
  at: Date.now(),
  kind: 'execution-observer',
  isFinal: false,
  lastSeq: 3 * number,
  chunkedRecords: 10 * number,
  waitingRecords: 1,
  unacknowledged: [[number, number]],
  spilledRecords: 0,
  takenOverRecords: 0,
  totals: { recorded: 20 * number, dropped: { buffer_full: number } },
  minutes: [],
  ...overrides,
});

/** A fleet to which reports are added. */
async function aFleet(environment: Record<string, string> = {}) {
  const fleet = await anExecutionFleet(environment);
  const report = async (...reports: (LedgerReport | Record<string, unknown>)[]): Promise<void> => {
    for (const one of reports)
      await fleet.queue.add(
        reportJobName,
        { v: 4, ...life, report: one },
        { jobId: reportId(life, Number(one.number ?? 0)), removeOnComplete: true },
      );
  };
  const lives = async () =>
    (
      await fleet.client.query(
        `select report::int, kind, is_final as "isFinal", last_seq::int as "lastSeq", unacknowledged, recorded::int, dropped::int,
          dropped_by as "droppedBy", lag_ms::float8 as "lagMs" from ledger_life`,
      )
    ).rows;
  const minutes = async () =>
    (
      await fleet.client.query(
        `select (extract(epoch from minute_at) / 60)::int as minute, realm, recorded::int, sent::int, dropped::int, dropped_by as "droppedBy"
        from ledger_minute order by minute_at, realm`,
      )
    ).rows;
  return { ...fleet, report, lives, minutes };
}

const counters = (recorded: number, more: LedgerCounters = {}): LedgerCounters => ({ recorded, ...more });

test('ledger: the newest report of a life counts, and of its minutes the greatest values', async () => {
  const { start, report, lives, minutes, empty } = await aFleet();
  await start();
  await report(
    aReport(2, {
      minutes: [
        [minute, 'r-1', counters(7, { sent: 6, dropped: { buffer_full: 1 } })],
        [minute, null, counters(3)],
      ],
    }),
  );
  await empty();
  // Late, and with less of one counter and more of the other.
  await report(
    aReport(1, {
      minutes: [
        [minute, 'r-1', counters(5, { dropped: { too_large: 2 } })],
        [minute + 1, 'r-1', counters(1)],
      ],
    }),
  );
  await empty();
  const [ofLife, ...others] = await lives();
  expect(others).toEqual([]);
  expect(ofLife).toMatchObject({
    ...{ report: 2, kind: 'execution-observer', isFinal: false, lastSeq: 6, unacknowledged: [[2, 2]] },
    ...{ recorded: 40, dropped: 2, droppedBy: { buffer_full: 2 } },
  });
  expect(Math.abs(ofLife.lagMs)).toBeLessThan(60_000);
  expect(await minutes()).toEqual([
    { minute, realm: '', recorded: 3, sent: 0, dropped: 0, droppedBy: {} },
    { minute, realm: 'r-1', recorded: 7, sent: 6, dropped: 2, droppedBy: { too_large: 2 } },
    { minute: minute + 1, realm: 'r-1', recorded: 1, sent: 0, dropped: 0, droppedBy: {} },
  ]);
});

test('ledger: reports that come together are one statement, and a repeat changes nothing', async () => {
  const { start, report, lives, minutes, empty, queue } = await aFleet();
  const reports = [1, 2, 3].map((number) => aReport(number, { minutes: [[minute, 'r-1', counters(number)]] }));
  await queue.pause();
  await report(...reports);
  await queue.resume();
  const worker = await start();
  await empty();
  const before = [await lives(), await minutes()];
  await report(...reports);
  await empty();
  expect([await lives(), await minutes()]).toEqual(before);
  expect(before).toMatchObject([[{ report: 3, recorded: 60 }], [{ recorded: 3 }]]);
  expect(await worker.metric('sluice_ledger_reports_total', { outcome: 'stored' })).toBe(6);
});

test('ledger: a report that is malformed is a dead letter', async () => {
  const { client, start, report, lives, empty } = await aFleet({ SLUICE_DEAD_SHARE_MAX: '1' });
  await start();
  const { kind: _kind, ...without } = aReport(1);
  await report(
    without,
    { ...aReport(2), recordet: 5 },
    { ...aReport(3), minutes: [[minute, 'a\0b', {}]] },
    { ...aReport(4), at: 1e300 },
    { ...aReport(5), totals: { recorded: -1 } },
    { ...aReport(7), minutes: [[minute, 'r-1', { recorded: 2, sampledOut: 1, chunked: 2 }]] },
    { ...aReport(6), unacknowledged: Array.from({ length: 101 }, () => [1, 2]) },
  );
  await empty();
  expect(await lives()).toEqual([]);
  const { rows } = await client.query('select reason, code from dead_letter');
  expect(rows).toHaveLength(7);
  for (const { reason, code } of rows) expect([code, reason.startsWith('chunk: report')]).toEqual(['schema', true]);
});

test('ledger: while the tables of reports are held, chunks are stored, and reports wait', async () => {
  const { databaseUrl, start, report, lives, add, ids, empty } = await aFleet();
  const worker = await start();
  const holder = await connect(databaseUrl);
  await holder.query('begin; lock table ledger_life in access exclusive mode');
  await report(aReport(1));
  await until(async () => (await worker.metric('sluice_ledger_reports_total', { outcome: 'put_off' })) > 0);
  await add([recordText(1)]);
  await until(async () => (await ids()).length === 1);
  await holder.query('commit');
  await empty();
  expect(await ids()).toEqual([idOf(1)]);
  expect(await lives()).toMatchObject([{ report: 1 }]);
});

test('ledger: a realm that was erased has no name in later reports, and its counts go on', async () => {
  const { client, start, report, minutes, empty } = await aFleet();
  await client.query(
    `insert into subject_erasure (kind, subject_hash, erased_before)
     values ('realm', sha256(convert_to('r-1', 'UTF8')), to_timestamp($1::float8 * 60))`,
    [minute],
  );
  await start();
  const ofBoth = (recorded: number): LedgerReport['minutes'] => [
    [minute, 'r-1', counters(recorded)],
    [minute + 1, 'r-1', counters(recorded)],
  ];
  await report(aReport(1, { minutes: ofBoth(5) }), aReport(2, { minutes: ofBoth(6) }));
  await empty();
  expect(await minutes()).toMatchObject([
    { minute, realm: expect.stringMatching(/^\*[0-9a-f]{16}$/), recorded: 6 },
    { minute: minute + 1, realm: 'r-1', recorded: 6 },
  ]);
});

test('ledger: the job of a report is told by its id, so that it is there once', async () => {
  const { queue, report } = await aFleet();
  await report(aReport(1), aReport(1));
  expect(await queue.getWaitingCount()).toBe(1);
});
