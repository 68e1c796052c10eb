import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { migrate } from '../../../prisma/migrate.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, createEmptyDatabase } from '../../support/fixtures.ts';

/** A database with the schema in it, where md5() is refused as by a server in FIPS mode. */
async function aDatabaseWithoutMd5(): Promise<string> {
  const databaseUrl = await createEmptyDatabase();
  const client = await connect(databaseUrl);
  // Found before the one of the server, which cannot be made to refuse.
  await client.query(`do $$ begin
    execute format('alter database %I set search_path = public, pg_catalog', current_database()); end $$`);
  await client.query(`create function public.md5(text) returns text language plpgsql immutable strict parallel safe as $$
    begin raise exception 'could not compute MD5 hash: unsupported' using errcode = 'XX000'; end $$`);
  await migrate(loadConfig({ DATABASE_URL: databaseUrl }).database);
  return databaseUrl;
}

/** What the generated column makes of a name of more than 63 characters. */
const outcomeOf = (name: string): string =>
  `${[...name].slice(0, 63).join('')}${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;

const longNames = ['c'.repeat(64), `${'größe 大 '.repeat(10)}\\x00 \\ \\\\ \\n`, `\\x${'41'.repeat(40)}`];

test('md5: where it is refused, a name of more than 63 characters is stored like any other', async () => {
  const { client, add, start, ids, deadLetters, empty } = await anExecutionFleet({}, await aDatabaseWithoutMd5());
  await expect(client.query(`select md5('x')`)).rejects.toThrow('could not compute MD5 hash');
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  await add(numbers.map((n) => recordText(n, { caseName: longNames[n] ?? 'short' })));
  await start();
  await empty();
  expect(await ids()).toEqual(numbers.map(idOf));
  expect(await deadLetters()).toEqual([]);
  const { rows } = await client.query('select outcome from strategy_execution_log order by id limit 4');
  expect(rows.map(({ outcome }) => outcome)).toEqual([...longNames.map(outcomeOf), 'short']);
});

test('md5: nothing in the schema calls it', async () => {
  const client = await connect(await aDatabaseWithoutMd5());
  const { rows } = await client.query(`
    select pg_get_expr(adbin, adrelid) as text from pg_attrdef
    union all select pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select prosrc from pg_proc where pronamespace = 'public'::regnamespace and proname <> 'md5'`);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ text }) => /md5/i.test(text))).toEqual([]);
});
