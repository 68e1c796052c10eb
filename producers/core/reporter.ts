import { latestMinute } from '../../shared/contracts/ledger-header.ts';
import type { LedgerReport } from '../../shared/contracts/ledger-report.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import type { SendableChunk } from './chunk-parts.ts';
import type { ProducerIdentity } from './chunker.ts';
import { writeReport } from './report-text.ts';
import type { Tallies } from './tallies.ts';
import type { Tally } from './tally.ts';

/** What a report says of a session beside its counts. */
export type SessionState = Pick<
  LedgerReport,
  'lastSeq' | 'chunkedRecords' | 'unacknowledged' | 'spilledRecords' | 'takenOverRecords'
>;

export interface ReporterOptions {
  identity: ProducerIdentity;
  /** what the producer is */
  kind: string;
  tallies: Tallies;
  state(): SessionState;
  /** Adds a report to the queue. */
  send(report: SendableChunk): Promise<void>;
  /** ms since 1970 */
  now(): number;
}

const msPerMinute = 60_000;
const afterMinuteMs = 20;
/** So many reports a minute, when one does not hold all that has changed. */
const mostAtOnce = 10;
/** The longest that `close` waits for the last report to be taken, and the time that it has even if none is left. */
const lastReport = { mostMs: 1_000, leastMs: 50 };

/**
 * Tells the ledger what a session has counted: at each full minute in which something has changed or is under way, once more when
 * nothing is, and at the end. Begins with the first record, and rests while there is nothing to tell.
 *
 * A report is never repeated, as the next one says all of it again. It waits for nobody, and nobody waits for it but `close`.
 */
export function createReporter(options: ReporterOptions) {
  const { identity, kind, tallies, send, now } = options;
  let number = 0;
  let timer: NodeJS.Timeout | null = null;
  let sending: Promise<void> | null = null;
  /** what Redis has acknowledged last, but for the minutes */
  let told = '';
  let isIdleTold = false;
  let isClosed = false;

  const look = () => {
    const total = tallies.total();
    const state = {
      ...options.state(),
      waitingRecords: total.waiting,
      totals: total.counters(),
    };
    return {
      state,
      text: JSON.stringify(state),
      isEmpty: total.progress === 0,
      isUnderWay: total.waiting > 0 || state.unacknowledged.length > 0 || hasUntold(tallies.all()),
    };
  };

  /** @returns whether nothing is left to tell. @throws when it is not known that Redis has the report */
  const report = async (isFinal: boolean): Promise<boolean> => {
    const { state, text } = look();
    number += 1;
    const about = { number, at: toWholeMs(now()), kind, isFinal };
    const written = writeReport(identity, { ...about, ...state }, tallies.all());
    await send(written);
    for (const { tally, progress } of written.told) tally.reported = progress;
    told = text;
    tallies.letGo();
    return written.isAll;
  };

  const reportAll = async (): Promise<void> => {
    for (let reports = 1; reports <= mostAtOnce; reports += 1) if (await report(false)) return;
  };

  const reportBeside = (isIdle: boolean): void => {
    sending ??= reportAll()
      .then(() => {
        isIdleTold = isIdle;
      })
      // Redis is away, or full. The next one says it all.
      .catch(() => undefined)
      .finally(() => {
        sending = null;
      });
  };

  const onMinute = (): void => {
    timer = null;
    tallies.turn();
    const { text, isUnderWay } = look();
    const isIdle = text === told && !isUnderWay;
    if (isIdle && isIdleTold) {
      tallies.rest();
      return;
    }
    reportBeside(isIdle);
    arm();
  };

  const arm = (): void => {
    timer ??= setTimeout(onMinute, untilNextMinute(now())).unref();
  };

  return {
    /** The first record has come, or the first one after a rest. */
    begin(): void {
      isIdleTold = false;
      if (!isClosed) arm();
    },

    /** Sends the last report, if anything was ever counted. @param leftMs the time that it may take; it is given a moment at least */
    async close(leftMs: number): Promise<void> {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (look().isEmpty) return;
      let isOver = false;
      const sayGoodbye = async (): Promise<void> => {
        await sending;
        while (!isOver && !(await report(true)));
      };
      const mostMs = Math.min(Math.max(leftMs, lastReport.leastMs), lastReport.mostMs);
      await endsWithin(
        sayGoodbye().catch(() => undefined),
        mostMs,
      );
      isOver = true;
    },
  };
}

function hasUntold(tallies: Iterable<Tally>): boolean {
  for (const { progress, reported } of tallies) if (progress > reported) return true;
  return false;
}

/** A host's clock may say anything. */
function toWholeMs(nowMs: number): number {
  return Number.isFinite(nowMs) ? Math.min(Math.max(Math.floor(nowMs), 0), latestMinute * msPerMinute) : 0;
}

/** A moment behind it: timers may be early. */
function untilNextMinute(nowMs: number): number {
  return msPerMinute - (toWholeMs(nowMs) % msPerMinute) + afterMinuteMs;
}
