import { tables } from '../../doctor/tables/tables-facts.ts';
import { booksTable, prismaBooksTable } from '../../prisma/migration-books.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { executionLogTable, ledgerChunkTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { quoteIdentifier, quoteLiteral } from '../../shared/platform/postgres/schema.ts';

/** Names of PostgreSQL roles. */
export interface Roles {
  /** owns the tables, creates and drops partitions */
  migrator: string;
  /** reads, inserts, updates and deletes rows */
  worker: string;
  /** reads */
  console: string;
}

/**
 * SQL that creates missing roles, and grants each the privileges that it needs on existing objects in the schema and on those that
 * the migrator will create. It can be run again at any time, even before the first migration. Other tables in the schema are left
 * alone.
 *
 * @throws UsageError if two roles are the same, or PostgreSQL would not accept a name
 */
export function grantStatements(schema: string, roles: Roles): string {
  const names = [roles.migrator, roles.worker, roles.console];
  for (const name of names) requireRoleName(name);
  if (new Set(names).size < names.length) throw new UsageError('the three roles must have different names');
  const place = quoteIdentifier(schema);
  const [migrator, worker, console] = names.map(quoteIdentifier);
  return `-- Run this in psql as a superuser or the server's administrator. Then set a password for each role: \\password ROLE
begin;

do $$
begin
  if to_regnamespace(${quoteLiteral(place)}) is null then create schema ${place}; end if;
${names.map((name) => `  if to_regrole(${quoteLiteral(quoteIdentifier(name))}) is null then create role ${quoteIdentifier(name)} login; end if;`).join('\n')}
  -- An administrator who is not a superuser must be a member of a role to give it ownership of tables.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant ${migrator} to %I', current_user);
  end if;
  execute format('grant connect on database %I to ${migrator}, ${worker}, ${console}', current_database());
end $$;

grant usage, create on schema ${place} to ${migrator};
grant usage on schema ${place} to ${worker}, ${console};

-- Objects that the migrator will create: tables, their partitions, the sequence of the outbox.
alter default privileges for role ${migrator} in schema ${place} grant select, insert, update, delete on tables to ${worker};
alter default privileges for role ${migrator} in schema ${place} grant usage, select on sequences to ${worker};
alter default privileges for role ${migrator} in schema ${place} grant select on tables to ${console};

-- Objects that already exist.
do $$
declare
  name text;
begin
  for name in
    select format('%I.%I', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relnamespace = to_regnamespace(${quoteLiteral(place)}) and relkind in ('r', 'p') and (relname = any(array[${ours.map(quoteLiteral).join(', ')}])
      or pg_class.oid in (${partitionsIn(place)}))
  loop
    execute 'alter table ' || name || ' owner to ${migrator}';
    execute 'grant select, insert, update, delete on ' || name || ' to ${worker}';
    execute 'grant select on ' || name || ' to ${console}';
  end loop;
  if to_regclass(${quoteLiteral(`${place}.lobby_outbox_seq_seq`)}) is not null then
    grant usage, select on sequence ${place}.lobby_outbox_seq_seq to ${worker};
  end if;
end $$;

commit;`;
}

/** Sluice's tables, and the tables of migrations, including those of earlier builds. */
const ours = [...tables, booksTable, prismaBooksTable];

/** Partitions have names of their own. */
function partitionsIn(place: string): string {
  return [executionLogTable, ledgerChunkTable]
    .map((table) => `select relid from pg_partition_tree(to_regclass(${quoteLiteral(`${place}.${table}`)}))`)
    .join(' union ');
}

function requireRoleName(name: string): void {
  const isTooLong = Buffer.byteLength(name) > 63;
  // Inside the script's blocks, these characters would be more than a part of a name.
  if (name === '' || isTooLong || /['"\\$%\p{Cc}]/u.test(name) || /^(pg_|public$|none$)/.test(name))
    throw new UsageError(
      'a role name must have 1 to 63 bytes, must not contain quotes, backslashes, percent or dollar signs, and must not start with pg_',
    );
}
