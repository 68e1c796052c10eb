import type { Job } from 'bullmq';
import type { DeadLetter } from '../../dead-letters/dead-letter.ts';
import { markStored, storeDeadLetters } from '../../dead-letters/store.ts';
import { replayedDeadLetterId } from '../../shared/contracts/replay.ts';
import { deadStatement, toAccountOf } from '../../shared/platform/ledger/chunk-statement.ts';
import { type Database, executeWithJson } from '../../shared/platform/postgres/database.ts';
import { heldBytes, type MemoryBudget } from '../runtime/memory-budget.ts';
import type { RedisClock } from '../runtime/redis-clock.ts';
import { type DeadLetterBox, DeadLetterBoxShutError } from './dead-letter-box.ts';
import type { HaltGuard } from './halt-guard.ts';
import type { JobDelays, JobDeps } from './job-delays.ts';
import { type Batchers, processChunk } from './process-chunk.ts';
import type { ReportBox } from './report-box.ts';
import type { ChunkLedger } from './settle-by-statement.ts';

/** What it takes to process the jobs of a queue. */
export interface ProcessorDeps extends JobDeps {
  database: Database;
  batchers: Batchers;
  clock: RedisClock;
  memory: MemoryBudget;
  deadLetterBox: DeadLetterBox;
  reports: Pick<ReportBox, 'isStored'>;
  guard: HaltGuard;
}

/**
 * Processes one job after the other, or many at once. A job is done when each of its records is committed, was there already, or
 * lies in the dead letters. One of a newer producer is delayed, not failed.
 */
export function createJobProcessor(deps: ProcessorDeps, delays: JobDelays) {
  const { definition, database, logger, metrics, tellMetrics, batchers, clock, memory, deadLetterBox, reports, guard } =
    deps;
  const { queue } = definition;

  const storeAndCount = async (deadLetters: readonly DeadLetter[], ledger: ChunkLedger | undefined): Promise<void> => {
    const stored = await deadLetterBox.run(() => storeWithinBudget(deadLetters, ledger));
    tellMetrics(() => {
      metrics.records.inc({ queue, outcome: 'dead' }, stored);
      if (stored < deadLetters.length)
        metrics.records.inc({ queue, outcome: 'tombstoned' }, deadLetters.length - stored);
    });
    // The reason may quote the record; it is in the dead letter.
    for (const { code, jobId } of deadLetters) logger.debug({ jobId, code }, 'record is dead');
  };

  const storeWithinBudget = async (
    deadLetters: readonly DeadLetter[],
    ledger: ChunkLedger | undefined,
  ): Promise<number> => {
    const bytes = deadLetters.reduce((sum, { payload }) => sum + heldBytes(payload), 0);
    const leave = await memory.statements.enter(bytes);
    try {
      return await storeDeadLetters(database, deadLetters, async (transaction) => {
        if (ledger === undefined) return;
        const json = toAccountOf({ account: ledger.account, places: ledger.dead });
        await executeWithJson(transaction, deadStatement(queue), json);
      });
    } finally {
      leave();
    }
  };

  return {
    /**
     * @param raw the job's data
     * @returns whether COPY has stored all of its records
     * @throws what tells BullMQ that the job is not done, or what kept it from being done
     */
    async process(job: Job, token: string | undefined, raw: string): Promise<boolean> {
      if (deadLetterBox.isShut && (await delays.isSettledButForDeadLetters(job)))
        return delays.delay(job, token, 'dead_letters');
      const outcome = await processChunk(definition, { jobId: job.id ?? null, raw, nowMs: clock.now() }, batchers);
      if (outcome.kind === 'newer') return delays.delay(job, token, 'newer_contract');
      if (outcome.kind === 'report') {
        if (!(await reports.isStored(outcome.job))) return delays.delay(job, token, 'retry_later');
        return false;
      }
      if (outcome.retryLater > 0) return delays.delay(job, token, 'retry_later');
      tellMetrics(() => metrics.odd.inc({ queue }, outcome.odd));
      if (outcome.retryLimited.length > 0) await delays.waitForConflicts(job, token);
      // Only now, so that what is dead beside a conflict is counted once.
      const deadLetters = [...outcome.dead, ...outcome.retryLimited];
      const replayed = replayedDeadLetterId(outcome.producer);
      // What an operator puts back may well be dead again; that says nothing about what producers send.
      if (replayed === null) guard.noteDead(outcome.records, deadLetters.length);
      if (deadLetters.length > 0 && guard.isHalted) return delays.requeue(job, token);
      try {
        if (deadLetters.length > 0) await storeAndCount(deadLetters, outcome.ledger);
        else if (replayed !== null) await deadLetterBox.run(() => markStored(database, [replayed]));
      } catch (error) {
        if (!(error instanceof DeadLetterBoxShutError)) throw error;
        if (replayed === null) guard.takeBackDead(outcome.records, deadLetters.length);
        await delays.noteSettledButForDeadLetters(job);
        return delays.delay(job, token, 'dead_letters');
      }
      // Not before: a job that is delayed comes again, and would count each time.
      guard.noteSettled(outcome.records);
      if (outcome.ledger === undefined) tellMetrics(() => metrics.unaccounted.inc({ queue }, outcome.records));
      return outcome.isCopied;
    },
  };
}
