import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createBackgroundWriter } from '../../../producers/executions/background-writer.ts';

test('background writer: nothing is written on the stack of the caller, all of it in the turns after', async () => {
  let written = 0;
  const writer = createBackgroundWriter();
  for (let record = 0; record < 1_000; record += 1) {
    writer.write({
      serialize() {
        written += 1;
        return { json: '{}', bytes: 2 };
      },
    });
  }
  expect(written).toBe(0);
  while (written < 1_000) await nextTurn();
  await nextTurn();
  expect(written).toBe(1_000);
});
