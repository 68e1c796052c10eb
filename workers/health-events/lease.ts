import { randomUUID } from 'node:crypto';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { nameDatabase } from './database-name.ts';

/** The right to read a stream, for as long as it is renewed. */
export interface Lease {
  label: string;
  /** rises with every acquisition, by whomever: what is committed with a lower one is refused */
  token: number;
  /** names the label's outbox in this database to Redis */
  epoch: string;
  /** for people: who has it */
  holder: string;
  /** of this acquisition alone: a copy of the database gives out the same tokens */
  session: string;
}

/**
 * Takes the lease if nobody holds it. All times are by the clock of PostgreSQL.
 *
 * @param holder for people: who it is
 * @returns null while another one holds it
 */
export async function acquireLease(
  database: Database,
  { label, holder, ttlMs }: { label: string; holder: string; ttlMs: number },
): Promise<Lease | null> {
  const [row] = await database.$queryRaw<{ token: bigint }[]>`
    insert into sluice.stream_lease as lease (label, holder, token, acquired_at, expires_at)
    values (${label}, ${holder}, 1, clock_timestamp(), clock_timestamp() + ${ttlMs}::float8 * interval '1 millisecond')
    on conflict (label) do update set holder = excluded.holder, token = lease.token + 1,
      acquired_at = excluded.acquired_at, expires_at = excluded.expires_at
    where lease.expires_at <= clock_timestamp()
    returning token`;
  if (row === undefined) return null;
  const token = Number(row.token);
  const epoch = await nameDatabase(database, { label, token });
  return epoch === null ? null : { label, token, epoch, holder, session: randomUUID() };
}

/** @returns false when somebody else has taken it meanwhile */
export async function renewLease(database: Database, { label, token }: Lease, ttlMs: number): Promise<boolean> {
  const renewed = await database.$executeRaw`
    update sluice.stream_lease set expires_at = clock_timestamp() + ${ttlMs}::float8 * interval '1 millisecond'
    where label = ${label} and token = ${token}`;
  return renewed === 1;
}

/** Lets the next one have it at once. Safe to call for a lease that is lost. */
export async function releaseLease(database: Database, { label, token }: Lease): Promise<void> {
  await database.$executeRaw`
    update sluice.stream_lease set expires_at = clock_timestamp() where label = ${label} and token = ${token}`;
}
