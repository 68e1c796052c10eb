import { answerWithin } from '../../shared/platform/deadline.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../../shared/platform/redis/redis-scripts.ts';
import { singleFlight } from '../../shared/platform/single-flight.ts';
import type { PartitionsReport } from './partitions-task.ts';
import type { RetentionReport } from './retention-task.ts';
import type { TaskName } from './task.ts';

/** What the last runs found, whoever ran them. What has not been found yet is absent. */
export interface Findings {
  /** rows in the DEFAULT partition, counted up to 10,000 */
  defaultRows?: number;
  aheadDays?: number;
  blocked?: number;
  overdue?: number;
  /** seconds since 1970 of the last run that ended well, by task */
  lastSuccess: Partial<Record<TaskName, number>>;
}

const answerWithinMs = 1_000;

/** A handful of numbers, which a full Redis shall not keep a task from ending with. */
const noteScript = evenWhenFull(`return redis.call('HSET', KEYS[1], unpack(ARGV))`);

/**
 * Shares findings through one hash in Redis, so that all maintenance workers show the same, also those that had nothing to
 * do for a while or have just been started. A gauge of the worker's own would keep what it saw at its last turn.
 */
export function createFindings(options: { redis: Redis; key: string }) {
  const { redis, key } = options;

  const write = async (fields: Record<string, number>): Promise<void> => {
    await redis.eval(noteScript, 1, key, ...Object.entries(fields).flat());
  };

  return {
    notePartitions: ({ defaultRows, aheadDays, blocked }: PartitionsReport) =>
      write({ defaultRows, aheadDays, blocked: blocked.length }),
    noteRetention: ({ overdue }: RetentionReport) => write({ overdue }),
    noteSuccess: (task: TaskName, atMs: number) => write({ [`lastSuccess:${task}`]: atMs / 1_000 }),
    /** null when Redis does not answer within a second; those who ask at the same time get the same answer */
    read: singleFlight(() => answerWithin(answerWithinMs, async () => toFindings(await redis.hgetall(key)))),
  };
}

export type FindingsBoard = ReturnType<typeof createFindings>;

function toFindings(hash: Record<string, string>): Findings {
  const findings: Findings = { lastSuccess: {} };
  for (const [field, value] of Object.entries(hash)) {
    const [name, task] = field.split(':');
    if (name === 'lastSuccess' && task !== undefined) findings.lastSuccess[task as TaskName] = Number(value);
    else if (name === 'defaultRows' || name === 'aheadDays' || name === 'blocked' || name === 'overdue')
      findings[name] = Number(value);
  }
  return findings;
}
