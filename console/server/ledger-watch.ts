import type { Accounts } from '../../queries/ledger/accounts.ts';
import { readAccounts } from '../../queries/ledger/read-accounts.ts';
import { type QueueName, queueNames } from '../../shared/contracts/queues.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** What the books of a queue said last. Counts of records. */
export interface WatchedBooks {
  queue: QueueName;
  missing: number;
  uncertainUpTo: number;
  unexplained: number;
}

const everyMs = 60_000;
const windowMs = 86_400_000;
const statementTimeoutMs = 8_000;
/** The books of a large fleet take a while: reading them may take up a twentieth of the time. */
const restShare = 20;
/** After so long, what was read says nothing about now. */
const staleAfterMs = 15 * 60_000;
const stopWithinMs = 1_000;

/**
 * Reads the books of the last 24 hours about once a minute, from `start` to `stop`, whoever asks and however often. What nobody could
 * look up is left out: it is not known to be missing.
 */
export function createLedgerWatch({
  database,
  redis,
  namespace,
}: {
  database: Database;
  redis: Redis;
  namespace: string;
}) {
  let books: WatchedBooks[] = [];
  let readAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let isStopped = false;

  const read = async (): Promise<void> => {
    const until = new Date();
    const window = { since: new Date(until.getTime() - windowMs), until };
    const found: WatchedBooks[] = [];
    for (const queue of queueNames) {
      if (isStopped) return;
      const question = { window, queue, timeoutMs: statementTimeoutMs };
      found.push({ queue, ...toWatched(await readAccounts(database, { redis, namespace }, question)) });
    }
    books = found;
    readAtMs = performance.now();
  };

  const turn = async (): Promise<void> => {
    const startedMs = performance.now();
    await read().catch(() => undefined);
    if (isStopped) return;
    timer = setTimeout(begin, Math.max(everyMs, (performance.now() - startedMs) * restShare)).unref();
  };

  function begin(): void {
    running = turn();
  }

  return {
    /** As they were read last; none while that is unknown. */
    latest: (): readonly WatchedBooks[] => (performance.now() - readAtMs > staleAfterMs ? [] : books),
    start(): void {
      if (running === null && !isStopped) begin();
    },
    async stop(): Promise<void> {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      if (running !== null) await endsWithin(running, stopWithinMs);
    },
  };
}

export type LedgerWatch = ReturnType<typeof createLedgerWatch>;

function toWatched({ total, uncertainUpTo }: Accounts): Omit<WatchedBooks, 'queue'> {
  return { missing: total.missing, uncertainUpTo, unexplained: total.unexplained };
}
