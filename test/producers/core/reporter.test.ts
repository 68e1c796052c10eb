import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReporter, type SessionState } from '../../../producers/core/reporter.ts';
import { Tallies } from '../../../producers/core/tallies.ts';
import { type LedgerReportJob, reportId, reportLimits } from '../../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../../shared/contracts/ledger-report-schema.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 3, 4, 5) });
});
afterEach(() => {
  vi.useRealTimers();
});

const identity = { producer: 'host-1', epoch: 1_700_000_000_000, life: '9f2c4e01ab' };
const startMinute = Date.UTC(2026, 0, 2, 3, 4) / 60_000;
const quiet: SessionState = {
  lastSeq: 0,
  chunkedRecords: 0,
  unacknowledged: [],
  spilledRecords: 0,
  takenOverRecords: 0,
};

/** A reporter whose queue a test can close. */
function aReporter() {
  const queue = { isAway: false, isSilent: false, attempts: 0, state: quiet };
  const jobs: LedgerReportJob[] = [];
  const bytes: number[] = [];
  const tallies: Tallies = new Tallies({ now: Date.now, onBegin: () => reporter.begin() });
  const reporter = createReporter({
    identity,
    kind: 'execution-observer',
    tallies,
    state: () => queue.state,
    now: Date.now,
    async send({ id, data }) {
      queue.attempts += 1;
      if (queue.isAway) throw new Error('away');
      if (queue.isSilent) await new Promise(() => undefined);
      const parsed = parseReport(JSON.parse(data));
      if (parsed.kind !== 'report') throw new Error(parsed.reason);
      expect(id).toBe(reportId(identity, parsed.job.report.number));
      jobs.push(parsed.job);
      bytes.push(Buffer.byteLength(data));
    },
  });
  return {
    tallies,
    reporter,
    queue,
    jobs,
    bytes,
    reports: () => jobs.map(({ report }) => report),
    minutes: (count: number) => vi.advanceTimersByTimeAsync(count * 60_000),
  };
}

test('reporter: each minute in which something has changed is told, once more when nothing has, and then nothing', async () => {
  const { tallies, reports, minutes } = aReporter();
  tallies.of('a').sampledOut += 3;
  await minutes(1);
  tallies.of('a').sampledOut += 1;
  await minutes(4);
  expect(reports().map(({ number, minutes: rows, totals }) => [number, rows, totals])).toEqual([
    [1, [[startMinute, 'a', { recorded: 3, sampledOut: 3 }]], { recorded: 3, sampledOut: 3 }],
    [2, [[startMinute + 1, 'a', { recorded: 1, sampledOut: 1 }]], { recorded: 4, sampledOut: 4 }],
    [3, [], { recorded: 4, sampledOut: 4 }],
  ]);
  expect(vi.getTimerCount()).toBe(0);
  tallies.of('b').disabled += 1;
  await minutes(1);
  expect(reports().at(-1)?.minutes).toEqual([[startMinute + 5, 'b', { recorded: 1, disabled: 1 }]]);
});

test('reporter: nothing is told of nothing, not even at the end', async () => {
  const { reporter, queue, minutes } = aReporter();
  await minutes(10);
  await reporter.close(1_000);
  expect(queue.attempts).toBe(0);
});

test('reporter: while chunks are under way it tells so each minute', async () => {
  const { tallies, queue, reports, minutes } = aReporter();
  tallies.of('a').waiting += 1;
  tallies.of('a').chunk();
  queue.state = { ...quiet, lastSeq: 1, chunkedRecords: 1, unacknowledged: [[1, 1]] };
  await minutes(5);
  expect(reports()).toHaveLength(5);
  expect(reports()[4]).toMatchObject({ lastSeq: 1, chunkedRecords: 1, unacknowledged: [[1, 1]], minutes: [] });
  const [first] = tallies.all();
  if (first !== undefined) first.sent += 1;
  queue.state = { ...quiet, lastSeq: 1, chunkedRecords: 1 };
  await minutes(5);
  expect(reports()).toHaveLength(7);
  expect(reports()[5]?.minutes).toEqual([[startMinute, 'a', { recorded: 1, chunked: 1, sent: 1 }]]);
});

test('reporter: what Redis did not take is told by the next report', async () => {
  const { tallies, queue, reports, minutes } = aReporter();
  queue.isAway = true;
  tallies.of('a').sampledOut += 1;
  await minutes(3);
  tallies.of('a').sampledOut += 1;
  await minutes(1);
  expect(queue.attempts).toBe(4);
  queue.isAway = false;
  await minutes(1);
  expect(reports()).toMatchObject([
    {
      number: 5,
      minutes: [
        [startMinute, 'a', { recorded: 1, sampledOut: 1 }],
        [startMinute + 3, 'a', { recorded: 1, sampledOut: 1 }],
      ],
    },
  ]);
});

test('reporter: a server that says nothing gets no second report, and holds nobody at the end', async () => {
  const { tallies, queue, reporter, minutes } = aReporter();
  queue.isSilent = true;
  tallies.of('a').sampledOut += 1;
  await minutes(10);
  expect(queue.attempts).toBe(1);
  const closed = reporter.close(60_000);
  await vi.advanceTimersByTimeAsync(1_000);
  await closed;
  expect(queue.attempts).toBe(1);
});

test('reporter: many minutes at once, as after a night, go into several reports of a bounded size', async () => {
  const { tallies, queue, reports, bytes, minutes } = aReporter();
  queue.isAway = true;
  for (let minute = 0; minute < 80; minute += 1) {
    for (let realm = 0; realm < 20; realm += 1) tallies.of(`${'realm-'.repeat(80)}${realm}`).sampledOut += 1;
    await minutes(1);
  }
  queue.isAway = false;
  await minutes(2);
  expect(reports().length).toBeGreaterThan(10);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(reportLimits.bytes);
  const rows = reports().flatMap(({ minutes: theirs }) => theirs.map(([minute, realm]) => `${minute} ${realm}`));
  expect(rows).toHaveLength(1_600);
  expect(new Set(rows).size).toBe(1_600);
  expect(reports().at(-1)?.totals).toEqual({ recorded: 1_600, sampledOut: 1_600 });
  expect([...tallies.all()].length).toBeLessThanOrEqual(20);
});

test('reporter: at the end all is told, and only the last report says that it is the last one', async () => {
  const { tallies, reporter, queue, reports, minutes } = aReporter();
  queue.isAway = true;
  for (let minute = 0; minute < 80; minute += 1) {
    for (let realm = 0; realm < 10; realm += 1) tallies.of(`${'realm-'.repeat(80)}${realm}`).sampledOut += 1;
    await minutes(1);
  }
  queue.isAway = false;
  await reporter.close(1_000);
  expect(reports().length).toBeGreaterThan(1);
  expect(reports().map(({ isFinal }) => isFinal)).toEqual([...new Array(reports().length - 1).fill(false), true]);
  expect(reports().flatMap(({ minutes: theirs }) => theirs)).toHaveLength(800);
  tallies.of('late').drop('closed');
  await minutes(5);
  expect(reports().at(-1)?.isFinal).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('reporter: its timer keeps no process alive', async () => {
  vi.useRealTimers();
  const keepingAlive = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = keepingAlive();
  const { tallies, reporter } = aReporter();
  tallies.of('a').sampledOut += 1;
  expect(keepingAlive()).toBe(before);
  await reporter.close(1_000);
});
