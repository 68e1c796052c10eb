import type { Job } from 'bullmq';
import type { Chunk } from '../../shared/contracts/chunk.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { openShards } from '../open-shards.ts';
import type { Found } from './reconcile-executions.ts';

/**
 * Asks the database and the queue about the executions of one sender in one run of the demo, by its realms and its producer.
 *
 * @param options.producer null: a gateway, in whose jobs and dead letters the realms tell
 */
export function createInspector(options: {
  database: Database;
  redis: Redis;
  namespace: string;
  realms: readonly string[];
  producer: string | null;
}) {
  const { database, realms, producer } = options;
  const shards = openShards({ ...options, queue: 'execution-log' });

  const countOurs = (chunk: Chunk<{ realmId?: string | null }>): number => {
    if (producer !== null) return chunk.producer === producer ? chunk.records.length : 0;
    return chunk.records.filter(({ realmId }) => realmId != null && realms.includes(realmId)).length;
  };
  const ofDeadLetters =
    producer === null ? { OR: realms.map((realm) => ({ payload: { contains: `"${realm}"` } })) } : { producer };

  const recordsIn = async (...states: ('waiting' | 'active' | 'delayed' | 'failed')[]): Promise<number> => {
    const jobs: (Job | undefined)[] = await shards.each((shard) => shard.getJobs(states));
    const chunks = jobs.map((job) => chunkOfJob<{ realmId?: string | null }>(job));
    return chunks.reduce((sum, chunk) => sum + (chunk === null ? 0 : countOurs(chunk)), 0);
  };

  const countRows = async (): Promise<{ stored: number; storedFailures: number }> => {
    const [row] = await database.$queryRaw<{ stored: number; failures: number }[]>`
      select count(*)::int as stored, (count(*) filter (where status <> 'ok'))::int as failures
      from sluice.strategy_execution_log where realm_id = any(${realms}::text[])`;
    return { stored: row?.stored ?? 0, storedFailures: row?.failures ?? 0 };
  };

  return {
    countRows,
    /** Asks the queue first: a job that completes in between is then counted at least once, never left out. */
    async inspect(): Promise<Found> {
      const inFlight = await recordsIn('waiting', 'active', 'delayed');
      const dead = (await recordsIn('failed')) + (await database.deadLetter.count({ where: ofDeadLetters }));
      return { ...(await countRows()), inFlight, dead };
    },
    close: shards.close,
  };
}
