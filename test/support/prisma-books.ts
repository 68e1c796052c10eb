import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** A line as Prisma's engine writes it. */
export interface PrismaLine {
  name: string;
  checksum: string;
  state: 'applied' | 'failed' | 'rolled back';
}

/** The books of an application that migrates with Prisma, such as an earlier build of Sluice. */
export async function makePrismaBooks(client: pg.Client, schema: string, lines: readonly PrismaLine[]): Promise<void> {
  await client.query(`create table ${schema}._prisma_migrations (
    id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
    logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`);
  for (const { name, checksum, state } of lines)
    await client.query(
      `insert into ${schema}._prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at)
       values ($1, $2, $3, clock_timestamp(), case when $4 = 'applied' then clock_timestamp() end, case when $4 = 'rolled back' then clock_timestamp() end)`,
      [randomUUID(), checksum, name, state],
    );
}
