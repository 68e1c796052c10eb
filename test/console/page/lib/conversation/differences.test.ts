import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Field, Turn } from '../../../../../console/page/lib/conversation/conversation.d.ts';
import { pageModule } from '../../../../support/page-module.ts';

interface Segment {
  kind: 'same' | 'removed' | 'added';
  text: string;
}
interface TurnDifference {
  kind: string;
  a: Turn | null;
  b: Turn | null;
}
const { compareTurns, compareTexts, compareFields } = await pageModule<{
  compareTurns(a: Turn[], b: Turn[]): TurnDifference[];
  compareTexts(a: string, b: string): Segment[];
  compareFields(a: Field[], b: Field[]): { name: string; a: string | null; b: string | null }[];
}>('lib/conversation/differences.js');

const turn = (said: string): Turn => {
  const [role = '', text = ''] = said.split(': ');
  return { side: 'request', role, finish: null, parts: [{ kind: 'text', text }] };
};
const compared = (a: string[], b: string[]): string[] =>
  compareTurns(a.map(turn), b.map(turn)).map((found) => {
    const [part] = (found.b ?? found.a)?.parts ?? [];
    return `${found.kind} ${part?.kind === 'text' ? part.text : ''}`;
  });

test('differences: turns of both, changed ones, and those of one only', () => {
  expect(
    compared(
      ['system: be brief', 'user: hi', 'assistant: hello', 'user: bye'],
      ['system: be long', 'user: hi', 'user: bye', 'assistant: see you'],
    ),
  ).toEqual(['changed be long', 'same hi', 'removed hello', 'same bye', 'added see you']);
});

test('differences: of a changed text, its words', () => {
  expect(compareTexts('the red gate', 'the blue gate is open')).toEqual([
    { kind: 'same', text: 'the ' },
    { kind: 'removed', text: 'red' },
    { kind: 'added', text: 'blue' },
    { kind: 'same', text: ' gate' },
    { kind: 'added', text: ' is open' },
  ]);
});

test('differences: settings that one has, the other has, or that differ', () => {
  const a = [
    { name: 'model', text: 'x' },
    { name: 'top_p', text: '1' },
    { name: 'same', text: '1' },
  ];
  const b = [
    { name: 'model', text: 'y' },
    { name: 'same', text: '1' },
    { name: 'seed', text: '7' },
  ];
  expect(compareFields(a, b)).toEqual([
    { name: 'model', a: 'x', b: 'y' },
    { name: 'top_p', a: '1', b: null },
    { name: 'seed', a: null, b: '7' },
  ]);
});

test('differences: both texts can be put together from the pieces', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '😀') });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const segments = compareTexts(a, b);
      const of = (left: Segment['kind']) =>
        segments
          .filter(({ kind }) => kind !== left)
          .map((one) => one.text)
          .join('');
      expect([of('added'), of('removed')]).toEqual([a, b]);
    }),
  );
});

test('differences: every turn of both is there once, in order', () => {
  const turns = fc.array(fc.constantFrom('user: a', 'user: b', 'assistant: a', 'assistant: c'), { maxLength: 12 });
  fc.assert(
    fc.property(turns, turns, (a, b) => {
      const [ofA, ofB] = [a.map(turn), b.map(turn)];
      const found = compareTurns(ofA, ofB);
      const isOf = (side: 'a' | 'b') => found.flatMap((one) => (one[side] === null ? [] : [one[side].parts]));
      const same = found.filter(({ kind }) => kind === 'same').length;
      expect(isOf('b')).toEqual(ofB.map(({ parts }) => parts));
      expect(isOf('a')).toEqual(ofA.map(({ parts }) => parts));
      expect(same).toBeLessThanOrEqual(Math.min(a.length, b.length));
    }),
  );
});

test('differences: of long texts and of very many turns, too, within a moment', () => {
  const long = (word: string) => Array.from({ length: 200_000 }, (_, n) => `${word} ${n}\n`).join('');
  expect(compareTexts(long('a'), long('b')).length).toBeGreaterThan(0);
  const many = (word: string) => Array.from({ length: 100_000 }, (_, n) => turn(`user: ${word} ${n}`));
  expect(compareTurns(many('a'), many('b'))).toHaveLength(100_000);
}, 30_000);
