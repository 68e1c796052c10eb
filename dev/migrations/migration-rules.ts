import { type Migration, toMigration } from '../../prisma/migration-files.ts';
import { type SqlStatement, splitStatements } from '../../prisma/sql-statements.ts';

/** A statement that blocks users of the table, or breaks workers of the previous build. */
interface Rule {
  /** the pattern to search for: the beginning or a part of the statement */
  finds: RegExp;
  /** also for tables that the file itself creates. @default only for existing tables */
  everywhere?: boolean;
  why: string;
  remedy: string;
}

const rules: readonly Rule[] = [
  {
    finds: /^(?:begin|start transaction|commit|end|rollback|savepoint|set|reset)\b/,
    everywhere: true,
    why: 'each file runs as one transaction with its own settings',
    remedy: 'remove it',
  },
  {
    finds: /^do\b/,
    everywhere: true,
    why: 'its locks cannot be determined from the statement',
    remedy: 'write the statements directly',
  },
  {
    finds: /^alter table\b.*\badd (?:column )?.*\bgenerated always as\b.*\bstored\b/,
    why: 'it rewrites the whole table under a lock that blocks reads and writes',
    remedy:
      'add a nullable column, set it in the insert for new rows, and backfill old rows in batches in the maintenance role',
  },
  {
    finds:
      /^alter table\b.*\badd (?:column )?.*(?:\bdefault (?!now\(\))[^,]*\w\(|\b(?:small|big)?serial\b|\bas identity\b)/,
    why: 'each row gets its own value, so it rewrites the whole table under a lock that blocks reads and writes',
    remedy:
      'add the column without a default, set the default in a second statement, and backfill old rows in batches in the maintenance role',
  },
  {
    finds:
      /^alter table\b.*\badd (?:column )?(?:if not exists )?"?\w+"? (?:(?!\bdefault\b|\bgenerated\b|,).)*\bnot null\b(?!.*\bdefault\b)/,
    why: 'it fails if the table has rows, and rejects inserts of the previous build',
    remedy: 'make the column nullable, or give it a constant default',
  },
  {
    finds: /^alter table\b.*\balter (?:column )?"?\w+"? (?:set data )?type\b/,
    why: 'most type changes rewrite the whole table and its indexes under a lock that blocks reads and writes',
    remedy: 'add a column of the new type, backfill it in batches in the maintenance role, and switch the reads over',
  },
  {
    finds: /^alter table\b.*\bset not null\b/,
    why: 'it scans the whole table under a lock that blocks reads and writes',
    remedy:
      'add a constraint CHECK (… IS NOT NULL) NOT VALID, validate it in the next file, then set it: PostgreSQL uses the constraint and skips the scan',
  },
  {
    finds: /^alter table\b.*\badd (?:constraint "?\w+"? )?(?:check|foreign key)\b(?!.*\bnot valid\b)/,
    why: 'it scans the whole table under a lock that blocks writes',
    remedy: 'add it NOT VALID, and validate it in the next file, which does not block reads and writes',
  },
  {
    finds: /^alter table\b.*\badd (?:constraint "?\w+"? )?(?:unique|primary key|exclude)\b(?!.*\busing index\b)/,
    why: 'it builds an index under a lock that blocks reads and writes',
    remedy: 'create a unique index CONCURRENTLY in a file outside a transaction, then add the constraint USING INDEX',
  },
  {
    finds: /^alter table\b.*\bset (?:logged|unlogged|tablespace|access method)\b/,
    why: 'it rewrites the whole table under a lock that blocks reads and writes',
    remedy: 'leave it to the database administrators',
  },
  {
    finds: /^create (?:unique )?index (?!concurrently\b)/,
    why: 'writes to the table are blocked until the index is built',
    remedy:
      'use CREATE INDEX CONCURRENTLY in a file outside a transaction; for a partitioned table, create the index ON ONLY the parent, and the maintenance role builds it on its partitions',
  },
  {
    finds: /^drop index (?!concurrently\b)/,
    why: 'it waits for all readers of the table, and everybody else waits behind it',
    remedy: 'use DROP INDEX CONCURRENTLY in a file outside a transaction',
  },
  {
    finds:
      /^(?:drop table|truncate|alter table\b.*\bdrop (?:column )?(?!constraint\b|not null\b|default\b|expression\b|identity\b)|alter table\b.*\brename\b)/,
    why: 'workers of the previous build still use it during a rolling upgrade',
    remedy: 'do it one release after the last build that uses it',
  },
  {
    finds: /^(?:vacuum|cluster|reindex (?!.*\bconcurrently\b)|refresh materialized view (?!concurrently\b)|lock)\b/,
    everywhere: true,
    why: 'it locks the table for as long as it takes',
    remedy: 'leave it to autovacuum, or name the lock in the line "-- locks:"',
  },
  {
    finds: /^(?:update|delete|merge|insert into\b.*\bselect)\b/,
    why: 'its rows and the locks of the file are held until the whole statement is done',
    remedy: 'do it in batches in the maintenance role',
  },
];

/** Statements that cannot run in a transaction. */
const aloneOnly =
  /^(?:(?:create (?:unique )?index|drop index|reindex\b.*) concurrently|alter table\b.*\bdetach partition\b.*\bconcurrently)\b/;

/** How a file of this kind names its tables: these are the tables that it locks. */
const tableNames = [
  /^alter table (?:if exists )?(?:only )?([\w."]+)/,
  /^create (?:unique )?index .*? on (?:only )?([\w."]+)/,
  /^(?:create|drop) trigger .*? on ([\w."]+)/,
  /\breferences ([\w."]+)/g,
];

/**
 * Checks a migration against the rules: one sentence, with the remedy, for each statement that locks, rewrites or breaks what
 * others use. A comment before the statement, `-- accepted: why`, allows it.
 */
export function findProblems({ name, sql }: Pick<Migration, 'name' | 'sql'>): string[] {
  let migration: Migration;
  try {
    migration = toMigration(name, sql);
  } catch (error) {
    return [(error as Error).message];
  }
  const { inTransaction, locks, makes } = migration;
  const statements = splitStatements(sql).map((statement) => ({ ...statement, code: statement.code.toLowerCase() }));
  const isNew = (table: string): boolean => makes.includes(table);
  const problems = statements
    .filter((one) => !isAccepted(one))
    .flatMap(({ code }) => {
      const [table] = tablesOf(code);
      const broken = rules.filter(
        ({ finds, everywhere }) => finds.test(code) && (everywhere || table === undefined || !isNew(table)),
      );
      const isMisplaced = inTransaction && aloneOnly.test(code);
      return [
        ...broken.map(({ why, remedy }) => `${start(code)}: ${why}. ${remedy[0]?.toUpperCase()}${remedy.slice(1)}`),
        ...(isMisplaced
          ? [`${start(code)}: it cannot run in a transaction. Make the first line "-- sluice: outside a transaction"`]
          : []),
      ];
    });
  if (!inTransaction)
    for (const { code } of statements)
      for (const table of namesOf(code))
        if (!table.startsWith('sluice.'))
          problems.push(`${start(code)}: outside a transaction no search path is set. Write sluice.${table}`);
  if (locks === null)
    return [
      ...problems,
      'it does not declare its locks: add "-- locks: none", or a line such as "-- locks: access exclusive on request"',
    ];
  const said = new Set(locks.flatMap(({ tables }) => tables));
  const silent = new Set(
    statements.flatMap(({ code }) => tablesOf(code)).filter((table) => !isNew(table) && !said.has(table)),
  );
  return [...problems, ...[...silent].map((table) => `its "-- locks:" line does not name ${table}`)];
}

function isAccepted({ comments }: SqlStatement): boolean {
  return comments.some((comment) => /^accepted: \S+ \S+/.test(comment));
}

function namesOf(code: string): string[] {
  return tableNames.flatMap((pattern) =>
    pattern.global ? [...code.matchAll(pattern)].flatMap(([, name]) => name ?? []) : (pattern.exec(code)?.[1] ?? []),
  );
}

function tablesOf(code: string): string[] {
  return namesOf(code).map((name) => name.replaceAll('"', '').replace(/^sluice\./, ''));
}

function start(code: string): string {
  return code.length > 60 ? `${code.slice(0, 60)}…` : code;
}
