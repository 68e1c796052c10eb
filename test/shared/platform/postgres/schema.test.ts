import { expect, test } from 'vitest';
import { inSchema, quoteIdentifier } from '../../../../shared/platform/postgres/schema.ts';

test.each([
  ['select 1 from sluice.request', 'select 1 from "my-schema".request'],
  ['drop table sluice."a b"', 'drop table "my-schema"."a b"'],
  [
    `select 'sluice.request'::regclass, to_regnamespace('sluice')`,
    `select '"my-schema".request'::regclass, to_regnamespace('"my-schema"')`,
  ],
  [
    `select 'sluice', "sluice"."request", sluice, 'sluice:request'`,
    `select 'sluice', "sluice"."request", sluice, 'sluice:request'`,
  ],
])('schema: %s', (sql, expected) => {
  expect(inSchema(sql, quoteIdentifier('my-schema'))).toBe(expected);
});

test('schema: a name with quotes or a dollar sign stays one name', () => {
  expect(inSchema('table sluice.request', quoteIdentifier('a"$&b'))).toBe('table "a""$&b".request');
});
