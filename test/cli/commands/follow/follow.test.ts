import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { follow } from '../../../../cli/commands/follow/follow.ts';

test('follow: rows are told of before the next question, and before the end', async () => {
  const stopping = new AbortController();
  const told: string[] = [];
  let questions = 0;
  await follow(
    {
      readClock: async () => 1_000,
      readNewest: async () => [],
      readKeys: async () => ({ rows: [], nowMs: 1_000 }),
      async readUnknown() {
        questions += 1;
        return { rows: [{ id: `row ${questions}`, recordedAt: new Date(questions) }], nowMs: 1_000 };
      },
    },
    {
      ...{ last: 0, lateMs: 1_000, everyMs: 0, signal: stopping.signal },
      async onRows([row]) {
        if (questions === 2) stopping.abort();
        // As when names are looked up.
        for (let turn = 0; turn < 5; turn += 1) await setImmediate();
        told.push(`${row?.id}, question ${questions}`);
      },
      onTrouble: (error) => expect.unreachable(String(error)),
    },
  );
  expect(told).toEqual(['row 1, question 1', 'row 2, question 2']);
});
