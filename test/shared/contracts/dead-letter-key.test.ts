import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { producerNamePattern } from '../../../shared/contracts/chunk.ts';
import { deadLetterKeysOf, deadLetterName, toDeadLetterKey } from '../../../shared/contracts/dead-letter-key.ts';
import { replayedDeadLetterId, replayProducer } from '../../../shared/contracts/replay.ts';

test('dead letter key: its name can be read from it, and it lies in the range of its name', () => {
  const id = randomUUID();
  for (const name of [id, `begun:${id}`]) {
    const key = toDeadLetterKey(name, '{}');
    const { gte, lt } = deadLetterKeysOf(name);
    expect(deadLetterName(key)).toBe(name);
    expect(key >= gte && key < lt).toBe(true);
  }
  const nameless = toDeadLetterKey(null, '{}');
  expect(deadLetterName(nameless)).toBe(nameless);
});

test('replay: a dead letter can be read from its producer, whose name is one that a producer may have', () => {
  const id = randomUUID();
  expect(replayedDeadLetterId(replayProducer(id))).toBe(id);
  expect(replayProducer(id)).toMatch(producerNamePattern);
});

test.each([null, '', 'p', 'replay-', 'replay-7', `x-replay-${randomUUID()}`, `replay-${randomUUID()}-2`, randomUUID()])(
  'replay: a producer named %s is of no dead letter',
  (producer) => {
    expect(replayedDeadLetterId(producer)).toBeNull();
  },
);
