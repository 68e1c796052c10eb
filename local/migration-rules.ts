import { type Migration, toMigration } from '../prisma/migration-files.ts';
import { type SqlStatement, splitStatements } from '../prisma/sql-statements.ts';

/** A statement that holds up those who use the table, or that breaks the workers of the build before. */
interface Rule {
  /** what is looked for, as the statement's beginning or a part of it */
  finds: RegExp;
  /** also where the table is one that the file itself makes. @default only where it was there before */
  everywhere?: boolean;
  why: string;
  remedy: string;
}

const rules: readonly Rule[] = [
  {
    finds: /^(?:begin|start transaction|commit|end|rollback|savepoint|set|reset)\b/,
    everywhere: true,
    why: 'each file is one transaction, and its settings are made for it',
    remedy: 'leave it out',
  },
  {
    finds: /^do\b/,
    everywhere: true,
    why: 'what it locks cannot be read from it',
    remedy: 'write the statements themselves',
  },
  {
    finds: /^alter table\b.*\badd (?:column )?.*\bgenerated always as\b.*\bstored\b/,
    why: 'it writes the whole table anew, under a lock that lets nobody read or write',
    remedy:
      'add a column that may be null, let new rows have it from the insert, and fill the old ones in batches by maintenance',
  },
  {
    finds:
      /^alter table\b.*\badd (?:column )?.*(?:\bdefault (?!now\(\))[^,]*\w\(|\b(?:small|big)?serial\b|\bas identity\b)/,
    why: 'each row gets a value of its own, so it writes the whole table anew, under a lock that lets nobody read or write',
    remedy:
      'add the column without a default, set the default in a second statement, and fill the old rows in batches by maintenance',
  },
  {
    finds:
      /^alter table\b.*\badd (?:column )?(?:if not exists )?"?\w+"? (?:(?!\bdefault\b|\bgenerated\b|,).)*\bnot null\b(?!.*\bdefault\b)/,
    why: 'it fails where there are rows, and refuses the inserts of the build before',
    remedy: 'let the column be null, or give it a constant default',
  },
  {
    finds: /^alter table\b.*\balter (?:column )?"?\w+"? (?:set data )?type\b/,
    why: 'most changes of a type write the whole table and its indexes anew, under a lock that lets nobody read or write',
    remedy: 'add a column of the new type, fill it in batches by maintenance, and move the reads over',
  },
  {
    finds: /^alter table\b.*\bset not null\b/,
    why: 'it reads the whole table, under a lock that lets nobody read or write',
    remedy:
      'add a constraint CHECK (… IS NOT NULL) NOT VALID, validate it in the next file, then set it: PostgreSQL sees the constraint and reads nothing',
  },
  {
    finds: /^alter table\b.*\badd (?:constraint "?\w+"? )?(?:check|foreign key)\b(?!.*\bnot valid\b)/,
    why: 'it reads the whole table, under a lock that lets nobody write',
    remedy: 'add it NOT VALID, and validate it in the next file: that lets others read and write',
  },
  {
    finds: /^alter table\b.*\badd (?:constraint "?\w+"? )?(?:unique|primary key|exclude)\b(?!.*\busing index\b)/,
    why: 'it makes an index, under a lock that lets nobody read or write',
    remedy: 'make a unique index CONCURRENTLY in a file outside of a transaction, then add the constraint USING INDEX',
  },
  {
    finds: /^alter table\b.*\bset (?:logged|unlogged|tablespace|access method)\b/,
    why: 'it writes the whole table anew, under a lock that lets nobody read or write',
    remedy: 'leave it to those who run the database',
  },
  {
    finds: /^create (?:unique )?index (?!concurrently\b)/,
    why: 'nobody may write to the table until the index is made',
    remedy:
      'CREATE INDEX CONCURRENTLY in a file outside of a transaction; on a partitioned table ON ONLY it first, then on each partition, and attach those',
  },
  {
    finds: /^drop index (?!concurrently\b)/,
    why: 'it waits for all who read the table, and all others wait behind it',
    remedy: 'DROP INDEX CONCURRENTLY in a file outside of a transaction',
  },
  {
    finds:
      /^(?:drop table|truncate|alter table\b.*\bdrop (?:column )?(?!constraint\b|not null\b|default\b|expression\b|identity\b)|alter table\b.*\brename\b)/,
    why: 'workers of the build before still use it while they are exchanged',
    remedy: 'do it a release after the last build that uses it',
  },
  {
    finds: /^(?:vacuum|cluster|reindex (?!.*\bconcurrently\b)|refresh materialized view (?!concurrently\b)|lock)\b/,
    everywhere: true,
    why: 'it locks the table for as long as it takes',
    remedy: 'leave it to autovacuum, or name the lock in the line "-- locks:"',
  },
  {
    finds: /^(?:update|delete|merge|insert into\b.*\bselect)\b/,
    why: 'its rows, and the locks of the file, are held until all are done',
    remedy: 'let maintenance do it in batches',
  },
];

/** The statements that refuse a transaction. */
const aloneOnly =
  /^(?:(?:create (?:unique )?index|drop index|reindex\b.*) concurrently|alter table\b.*\bdetach partition\b.*\bconcurrently)\b/;

/** What a file of this kind names its tables by: those are the ones that are locked. */
const tableNames = [
  /^alter table (?:if exists )?(?:only )?([\w."]+)/,
  /^create (?:unique )?index .*? on (?:only )?([\w."]+)/,
  /^(?:create|drop) trigger .*? on ([\w."]+)/,
  /\breferences ([\w."]+)/g,
];

/**
 * Holds a migration to the rules: a sentence for each statement that locks, rewrites or breaks what others use, with the remedy. A
 * comment before the statement, `-- accepted: why`, lets it pass.
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
          ? [`${start(code)}: it refuses a transaction. Let the first line be "-- sluice: outside a transaction"`]
          : []),
      ];
    });
  if (!inTransaction)
    for (const { code } of statements)
      for (const table of namesOf(code))
        if (!table.startsWith('sluice.'))
          problems.push(`${start(code)}: outside of a transaction no search path is set. Write sluice.${table}`);
  if (locks === null)
    return [
      ...problems,
      'it does not say what it locks: "-- locks: none", or such as "-- locks: access exclusive on request"',
    ];
  const said = new Set(locks.flatMap(({ tables }) => tables));
  const silent = new Set(
    statements.flatMap(({ code }) => tablesOf(code)).filter((table) => !isNew(table) && !said.has(table)),
  );
  return [...problems, ...[...silent].map((table) => `its line "-- locks:" does not name ${table}`)];
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
