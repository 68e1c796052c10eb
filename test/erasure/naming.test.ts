import { expect, test } from 'vitest';
import { createNaming } from '../../erasure/naming.ts';

test.each([
  ['user-1', '"user-1"'],
  ['user-1', 'wallet:user-1 is empty'],
  ['user-1', '{"user-1":1}'],
  ['user-1', String.raw`{"said":"hello\nuser-1"}`],
  ['user-1', String.raw`{"said":"user\u002d1"}`],
  ['jörg', String.raw`{"said":"j\u00f6rg"}`],
  ['jörg', '{"said":"jörg"}'],
  ['a"b\\c', JSON.stringify({ said: 'a"b\\c' })],
  ['ann@example.com', '{"mail":"ann@example.com"}'],
  ['4821733', '{"userId":4821733}'],
  ['7', '{"user":"7"}'],
  ['a.b', '{"a.b":1}'],
])('naming: %s is named by %s', (id, json) => {
  expect(createNaming(id).isInJson(json)).toBe(true);
});

test.each([
  ['user-1', '"user-12"'],
  ['user-1', '"power-user-1"'],
  ['user-1', '"user-1-b"'],
  ['jörg', '"jörgen"'],
  ['ann@example.com', '"joann@example.com"'],
  ['7', '{"level":7,"said":"7 points","of":"77"}'],
  ['4821733', '{"userId":48217330}'],
  ['a.b', '{"aXb":1}'],
])('naming: %s is not named by %s', (id, json) => {
  expect(createNaming(id).isInJson(json)).toBe(false);
});
