import { expect, test } from 'vitest';
import { readMigrations } from '../../prisma/migration-files.ts';
import { splitStatements } from '../../prisma/sql-statements.ts';

test.each<[script: string, codes: string[]]>([
  ['', []],
  ['-- nothing; at all\n', []],
  ['select 1', ['select 1']],
  ['select 1;\n\n select\n  2 ;', ['select 1', 'select 2']],
  ["select 'a;b', 'it''s; so';select 3", ["select '', ''", 'select 3']],
  ['create table "a;b" (c int);', ['create table "a;b" (c int)']],
  ['/* one; two */ select 1 -- three;\n; select 2', ['select 1', 'select 2']],
  ['do $$ begin; end $$; do $x$ $$ ; $x$; select 4', ['do $$ $$', 'do $$ $$', 'select 4']],
])('statements: %j has the statements %j', (script, codes) => {
  expect(splitStatements(script).map(({ code }) => code)).toEqual(codes);
});

test('statements: each has its text as it stands in the file, and the comments before it', () => {
  const script = "-- why\nselect 'a' -- here\n;\n-- because\nselect 2;\n-- the end";
  expect(splitStatements(script)).toEqual([
    { text: "-- why\nselect 'a' -- here", code: "select ''", comments: ['why', 'here'] },
    { text: '-- because\nselect 2', code: 'select 2', comments: ['because'] },
  ]);
});

test('statements: all of our migrations begin as SQL does', async () => {
  const codes = (await readMigrations()).flatMap(({ sql }) => splitStatements(sql)).map(({ code }) => code);
  expect(codes.length).toBeGreaterThan(40);
  expect(codes.filter((code) => !/^(?:CREATE|ALTER|DROP|DO) /.test(code))).toEqual([]);
});
