import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { producerNamePattern } from '../../../shared/contracts/chunk.ts';
import { letterKeysOf, letterName, toLetterKey } from '../../../shared/contracts/letter-key.ts';
import { replayedLetterId, replayProducer } from '../../../shared/contracts/replay.ts';

test('letter key: its name can be read from it, and it lies in the range of its name', () => {
  const id = randomUUID();
  for (const name of [id, `begun:${id}`]) {
    const key = toLetterKey(name, '{}');
    const { gte, lt } = letterKeysOf(name);
    expect(letterName(key)).toBe(name);
    expect(key >= gte && key < lt).toBe(true);
  }
  const nameless = toLetterKey(null, '{}');
  expect(letterName(nameless)).toBe(nameless);
});

test('replay: a letter can be read from its producer, whose name is one that a producer may have', () => {
  const id = randomUUID();
  expect(replayedLetterId(replayProducer(id))).toBe(id);
  expect(replayProducer(id)).toMatch(producerNamePattern);
});

test.each([null, '', 'p', 'replay-', 'replay-7', `x-replay-${randomUUID()}`, `replay-${randomUUID()}-2`, randomUUID()])(
  'replay: a producer named %s is of no letter',
  (producer) => {
    expect(replayedLetterId(producer)).toBeNull();
  },
);
