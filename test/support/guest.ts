import pg from 'pg';
import { grantStatements, type Roles } from '../../cli/commands/grant-statements.ts';
import { migrate } from '../../prisma/migrate.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import {
  ensurePartitions,
  executionLogTable,
  planPartitions,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import { quoteIdentifier } from '../../shared/platform/postgres/schema.ts';
import { makePrismaBooks } from './prisma-books.ts';

/** Sluice in a database of others: in a schema of its own, whose name needs quotes, and with the three roles of `sluice grants`. */
export interface Guest {
  schema: string;
  roles: Roles;
  /** of each of the roles */
  password: string;
}

export type GuestRole = keyof Roles;

export const guest: Guest = {
  schema: 'my-Sluice',
  roles: { migrator: 'sluice_migrator', worker: 'sluice_worker', console: 'sluice_console' },
  password: 'a-secret',
};

/** Names and passwords of the roles. */
export function guestUsers(): Record<string, string> {
  return Object.fromEntries(Object.values(guest.roles).map((role) => [role, guest.password]));
}

/** The same database as one of the roles. */
export function asGuest(databaseUrl: string, role: GuestRole): string {
  const url = new URL(databaseUrl);
  url.username = guest.roles[role];
  url.password = guest.password;
  url.searchParams.set('schema', guest.schema);
  return url.href;
}

/**
 * Two applications with Prisma, one in `public`, one beside it. Each has a table that is called as one of ours: a statement that
 * names no schema would meet it.
 */
export async function makeNeighbours(owner: pg.Client): Promise<void> {
  await owner.query(`
    create schema shop;
    create table public."User" (id serial primary key, "fullName" text not null);
    insert into public."User" ("fullName") values ('Ada'), ('Grace');`);
  for (const schema of ['public', 'shop']) {
    await owner.query(`
      create table ${schema}.request (id serial primary key, article text not null);
      insert into ${schema}.request (article) values ('a lamp');
      create table ${schema}.strategy_execution_log (id serial primary key);`);
    await makePrismaBooks(owner, schema, [
      { name: '20250101000000_init', checksum: 'a'.repeat(64), state: 'applied' },
      { name: '20250202000000_orders', checksum: 'b'.repeat(64), state: 'failed' },
    ]);
  }
}

/** All that the neighbours have, to compare. */
export async function readNeighbours(owner: pg.Client): Promise<unknown[]> {
  const { rows } = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'shop') order by 1`,
  );
  const all: unknown[] = [];
  for (const { name } of rows) all.push(name, (await owner.query(`table ${name}`)).rows);
  return all;
}

/** Makes the roles, with their passwords, as `sluice grants` prints them. Nobody has a right by being anybody. */
export async function grantGuest(owner: pg.Client): Promise<void> {
  await owner.query(`revoke all on database ${quoteIdentifier(owner.database ?? '')} from public`);
  await owner.query(grantStatements(guest.schema, guest.roles));
  for (const role of Object.values(guest.roles))
    await owner.query(`alter role ${quoteIdentifier(role)} password '${guest.password}'`);
}

/** What was given with a database does not come along with a copy of it. */
export async function admitGuest(owner: pg.Client, database: string): Promise<void> {
  const roles = Object.values(guest.roles).map(quoteIdentifier).join(', ');
  await owner.query(`revoke all on database ${quoteIdentifier(database)} from public;
    grant connect on database ${quoteIdentifier(database)} to ${roles}`);
}

/** Makes a database of the owner's one in which Sluice is a guest, with the partitions of these days. */
export async function settleGuest(databaseUrl: string): Promise<void> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    await makeNeighbours(owner);
    await grantGuest(owner);
  } finally {
    await owner.end();
  }
  const config = loadConfig({ DATABASE_URL: asGuest(databaseUrl, 'migrator') }).database;
  await migrate(config);
  const database = createDatabase(config, 'test');
  try {
    await ensurePartitions(database, executionLogTable, planPartitions(executionLogTable, Date.now(), 3));
  } finally {
    await database.$disconnect();
  }
}
