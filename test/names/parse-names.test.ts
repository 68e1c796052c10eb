import { expect, test } from 'vitest';
import { mostNames, parseNames } from '../../names/parse-names.ts';
import { UsageError } from '../../shared/platform/errors.ts';

test('names: CSV and JSON say the same, in any order of columns, with any end of line', () => {
  const names = [
    { kind: 'strategy', id: 'bonus-1', name: 'Bonus, "weekly"' },
    { kind: 'creator', id: '7', name: 'Jörg 😀' },
  ];
  const csv = '\uFEFFname,kind,id\r\n"Bonus, ""weekly""",strategy,bonus-1\r\n\r\n Jörg 😀 ,creator,7\r\n';
  for (const text of [csv, csv.replaceAll('\r\n', '\n'), csv.replaceAll('\r\n', '\r'), csv.trimEnd()])
    expect(parseNames(text)).toEqual(names);
  expect(parseNames(JSON.stringify(names))).toEqual(names);
  expect(parseNames(`\uFEFF ${JSON.stringify(names)}`)).toEqual(names);
});

test('names: what looks like markup, a formula or another direction of reading is a text', () => {
  const hostile = ['<b>x</b>', '=1+1', '\u202egnp', "'; drop table display_name; --", 'א1'];
  const names = hostile.map((name, n) => ({ kind: 'creator', id: `${n}`, name }));
  expect(parseNames(JSON.stringify(names))).toEqual(names);
});

test.each([
  ['kind,id\nstrategy,a', /first line of a CSV file must be kind,id,name/],
  ['', /first line/],
  ['[1', /begins like JSON/],
  ['kind,id,name\nstrategy,a,"b', /line 2: a quote/],
  ['kind,id,name\nstrategy,a,b"c', /line 2: a quote/],
  ['kind,id,name\nstrategy,a', /line 2: it has 2 fields, and the first line has 3/],
  ['kind,id,name\nuser,a,b', /line 2: kind: Invalid option/],
  ['kind,id,name\nstrategy,,b', /line 2: id is empty/],
  ['kind,id,name\nstrategy,a, ', /line 2: name is empty/],
  ['kind,id,name\n\nstrategy,a,"x\ny"\nstrategy,b,c', /line 3: name has a control character/],
  ['kind,id,name\nstrategy,a,x\u001b[2J', /line 2: name has a control character/],
  ['kind,id,name\nstrategy,a\u0000,x', /line 2: id has a NUL/],
  [`kind,id,name\nstrategy,a,${'x'.repeat(10_000)}`, /line 2: name is longer than 200 characters/],
  [`kind,id,name\nstrategy,${'x'.repeat(513)},a`, /line 2: id is longer than 512 characters/],
  ['kind,id,name\nstrategy,a,x\nstrategy,a,y', /line 3: line 2 has another name for the same strategy/],
  ['["a"]', /entry 1: it is no object/],
  ['[{"kind":"strategy","id":"a","name":null}]', /entry 1: name: Invalid input/],
  ['[{"kind":"strategy","id":"a","name":"b","more":1}]', /entry 1: Unrecognized key/],
])('names: %j is refused whole, with the place', (text, message) => {
  expect(() => parseNames(text)).toThrow(UsageError);
  expect(() => parseNames(text)).toThrow(message);
});

test('names: 200 characters are enough for a name, of whatever width; the same line twice counts once', () => {
  const long = { kind: 'strategy', id: '😀'.repeat(512), name: '😀'.repeat(200) };
  expect(parseNames(JSON.stringify([long, long]))).toEqual([long]);
  expect(() => parseNames(JSON.stringify([{ ...long, name: '😀'.repeat(201) }]))).toThrow(/longer/);
});

test('names: the first ten problems are told, and a file of any size is read', () => {
  const wrong = `kind,id,name\n${'x,y,z\n'.repeat(5_000)}`;
  expect(() => parseNames(wrong)).toThrow(/^the names cannot be read:(\n {2}line \d+: .*){10}$/);
  const quoted = `kind,id,name\nstrategy,a,"${'""'.repeat(2_000_000)}"`;
  expect(() => parseNames(quoted)).toThrow(/longer than 200/);
  const many = (count: number) =>
    `kind,id,name\n${Array.from({ length: count }, (_, n) => `strategy,${n},n`).join('\n')}`;
  expect(parseNames(many(mostNames))).toHaveLength(mostNames);
  expect(() => parseNames(many(mostNames + 1))).toThrow(/100001 names are too many/);
});
