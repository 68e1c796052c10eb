import { chunkId } from '../../shared/contracts/chunk.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';

/** One session of a producer with one queue. */
export interface LifeKey {
  producer: string;
  epoch: number;
  /** empty: its chunks do not say */
  life: string;
  queue: QueueName;
}

/** Without what else there is of a life. */
export function toKey({ producer, epoch, life, queue }: LifeKey): LifeKey {
  return { producer, epoch, life, queue };
}

/** Names a life within a map. */
export function nameOf({ producer, epoch, life, queue }: LifeKey): string {
  return JSON.stringify([queue, producer, epoch, life]);
}

/** The id of the job of a chunk. That of a job with a part of the chunk begins with it. */
export function jobIdOf({ life, ...key }: LifeKey, seq: number): string {
  return chunkId({ ...key, seq, ...(life === '' ? {} : { life }) });
}

/** A life for people: what the ids of its jobs begin with. */
export function lifeOf(key: LifeKey): string {
  return jobIdOf(key, 0).slice(0, -'.0'.length);
}

/** The columns that name a life, in each of the three tables. */
export const lifeColumns = Prisma.sql`producer, epoch, life, queue`;

/** The same of some lives as arguments of `unnest`. */
export function lifeArrays(lives: readonly LifeKey[]): Prisma.Sql {
  return Prisma.sql`${lives.map(({ producer }) => producer)}::text[], ${lives.map(({ epoch }) => epoch)}::bigint[],
    ${lives.map(({ life }) => life)}::text[], ${lives.map(({ queue }) => queue)}::text[]`;
}
