import type { Job } from 'bullmq';
import { deadLetterName } from '../../shared/contracts/dead-letter-key.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { openShards } from '../open-shards.ts';
import type { FoundRequest, RequestsFound } from './reconcile-requests.ts';

type State = 'waiting' | 'active' | 'delayed' | 'failed';
const openStates: State[] = ['waiting', 'active', 'delayed'];

/** Asks the database and the queue about the requests of one run of the demo, by its creators and its producer. */
export function createRequestInspector(options: {
  database: Database;
  redis: Redis;
  namespace: string;
  creators: readonly string[];
  producer: string;
}) {
  const { database, creators, producer } = options;
  const shards = openShards({ ...options, queue: 'completed-request' });
  const isOurs = (jobId: string): boolean => jobId.startsWith(`${producer}.`);

  /** The requests of the run's records in jobs of these states, one for each record. */
  const requestsIn = async (states: State[]): Promise<string[]> => {
    const jobs: (Job | undefined)[] = await shards.each((shard) => shard.getJobs(states));
    const ours = jobs.filter((job) => isOurs(job?.id ?? ''));
    return ours.flatMap(
      (job) => chunkOfJob<{ requestId: string }>(job)?.records.map(({ requestId }) => requestId) ?? [],
    );
  };

  /** A dead letter is named after the request's id, with a prefix if it is of the request's start. */
  const requestsInDeadLetters = async (): Promise<string[]> => {
    const where = { producer, queue: 'completed-request' };
    const deadLetters = await database.deadLetter.findMany({ where, select: { recordKey: true } });
    return deadLetters.map(({ recordKey }) => deadLetterName(recordKey).replace(/^begun:/, ''));
  };

  const readRows = async (): Promise<Map<string, FoundRequest>> => {
    const rows = await database.$queryRaw<{ id: string; state: string; status: number | null }[]>`
      select id, state, response_status as status from sluice.request where created_by = any(${creators}::text[])`;
    return new Map(rows.map(({ id, state, status }) => [id, { state, statusCode: status }]));
  };

  return {
    /** Jobs of the run that are waiting, active or delayed. Only their ids are read: their data is large. */
    async openJobs(): Promise<number> {
      return (await shards.each((shard) => shard.getRanges(openStates, 0, -1))).filter(isOurs).length;
    },
    async countRows(): Promise<number> {
      return await database.request.count({ where: { createdBy: { in: [...creators] } } });
    },
    /** Asks the queue first: a job that completes in between is then counted at least once, never left out. */
    async inspect(): Promise<RequestsFound> {
      const inFlight = countEach(await requestsIn(openStates));
      const dead = countEach([...(await requestsIn(['failed'])), ...(await requestsInDeadLetters())]);
      return { rows: await readRows(), inFlight, dead };
    },
    close: shards.close,
  };
}

function countEach(requestIds: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of requestIds) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
