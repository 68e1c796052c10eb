import type { Job } from 'bullmq';
import { costOfRequest, joinPrices, pricePeriods } from '../../queries/requests/cost.ts';
import { deadLetterName } from '../../shared/contracts/dead-letter-key.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { openShards } from '../open-shards.ts';
import type { PriceRow } from './price-list.ts';
import type { FoundRequest, RequestsFound } from './reconcile-requests.ts';
import type { FoundUsage } from './reconcile-usage.ts';

type State = 'waiting' | 'active' | 'delayed' | 'failed';
/** As far as it is looked at. */
interface QueuedRequest {
  requestId: string;
  createdBy?: string;
}
const openStates: State[] = ['waiting', 'active', 'delayed'];

/**
 * Asks the database and the queue about the requests of one sender in one run of the demo, by its creators and its producer.
 *
 * @param options.producer null: a gateway, in whose jobs and dead letters the creators tell
 */
export function createRequestInspector(options: {
  database: Database;
  redis: Redis;
  namespace: string;
  creators: readonly string[];
  producer: string | null;
}) {
  const { database, creators, producer } = options;
  const shards = openShards({ ...options, queue: 'completed-request' });
  /** A gateway's may hold records of others, too. */
  const mayBeOurs = (jobId: string): boolean => producer === null || jobId.startsWith(`${producer}.`);
  const isOurs = ({ createdBy }: QueuedRequest): boolean =>
    producer !== null || (createdBy !== undefined && creators.includes(createdBy));

  /** The requests of the run's records in jobs of these states, one for each record. */
  const requestsIn = async (states: State[]): Promise<string[]> => {
    const jobs: (Job | undefined)[] = await shards.each((shard) => shard.getJobs(states));
    const records = jobs
      .filter((job) => mayBeOurs(job?.id ?? ''))
      .flatMap((job) => chunkOfJob<QueuedRequest>(job)?.records ?? []);
    return records.filter(isOurs).map(({ requestId }) => requestId);
  };

  /** A dead letter is named after the request's id, with a prefix if it is of the request's start. */
  const requestsInDeadLetters = async (): Promise<string[]> => {
    const whose =
      producer === null ? { OR: creators.map((creator) => ({ payload: { contains: `"${creator}"` } })) } : { producer };
    const where = { queue: 'completed-request', ...whose };
    const deadLetters = await database.deadLetter.findMany({ where, select: { recordKey: true } });
    return deadLetters.map(({ recordKey }) => deadLetterName(recordKey).replace(/^begun:/, ''));
  };

  const readRows = async (): Promise<Map<string, FoundRequest>> => {
    const rows = await database.$queryRaw<{ id: string; state: string; status: number | null }[]>`
      select id, state, response_status as status from sluice.request where created_by = any(${creators}::text[])`;
    return new Map(rows.map(({ id, state, status }) => [id, { state, statusCode: status }]));
  };

  return {
    /** Jobs of the sender that are waiting, active or delayed. Only their ids are read: their data is large. */
    async openJobs(): Promise<number> {
      return (await shards.each((shard) => shard.getRanges(openStates, 0, -1))).filter(mayBeOurs).length;
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
    /** What Sluice says that each request used, and what it cost, as the console computes it. */
    async readUsage(): Promise<Map<string, FoundUsage>> {
      const rows = await database.$queryRaw<
        (FoundUsage & { id: string; currency: string | null; amount: string | null })[]
      >`
        with asked as (select distinct provider, model from sluice.request where created_by = any(${creators}::text[])),
        ${pricePeriods('asked')}
        select id, created_at as "createdAt", request.provider, input_tokens::float8 as "inputTokens",
          cached_tokens::float8 as "cachedTokens", output_tokens::float8 as "outputTokens",
          reasoning_tokens::float8 as "reasoningTokens", price.currency, trim_scale(${costOfRequest})::text as amount
        from sluice.request ${joinPrices} where created_by = any(${creators}::text[])`;
      return new Map(
        rows.map(({ id, currency, amount, ...row }) => [
          id,
          { ...row, cost: currency === null || amount === null ? null : { currency, amount } },
        ]),
      );
    },
    close: shards.close,
  };
}

/** All prices that there are. */
export async function readPrices(database: Database): Promise<PriceRow[]> {
  return await database.$queryRaw<PriceRow[]>`
    select provider, model, valid_from as "validFrom", valid_until as "validUntil", currency, input::text, output::text,
      cached_input::text as "cachedInput", imported_at as "importedAt" from sluice.price`;
}

function countEach(requestIds: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of requestIds) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
