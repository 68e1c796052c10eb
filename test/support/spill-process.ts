import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSpill } from '../../producers/spill/spill.ts';

/**
 * A session that writes chunks to TEST_DIR, one after the other, and says after each how many are written. On SIGUSR2 its event
 * loop is held up until there is a file TEST_GATE, which it removes. On SIGTERM it writes no more, takes back what it still has, and tells what became of all.
 */
const spill = createSpill({
  dir: process.env['TEST_DIR'] ?? '',
  session: 'writer-1700000000000',
  maxBytes: 1_000_000_000,
  fsyncMs: 500,
  now: Date.now,
  timing: JSON.parse(process.env['TEST_TIMING'] ?? 'null'),
  onFound: () => undefined,
  onLost: ({ bytes, ownRecords }) => {
    end.lost += bytes + ownRecords;
  },
  onTakenOver: (ownRecords) => {
    end.takenOver += ownRecords;
  },
  onTrouble: (error) => end.troubles.push(error.message),
});
const end = { lost: 0, takenOver: 0, troubles: [] as string[], refused: 0 };
let isStopping = false;

process.on('SIGUSR2', () => {
  const breaker = process.env['TEST_GATE'] ?? '';
  while (!existsSync(breaker)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  rmSync(breaker);
});
process.once('SIGTERM', () => {
  isStopping = true;
});

let written = 0;
while (!isStopping) {
  const result = await spill.append([{ id: `w.${written}`, data: '{}', entries: [{}] }]);
  if (result.status === 'written') written += 1;
  else end.refused += 1;
  console.log(JSON.stringify({ written }));
  await sleep(1);
}
const taken: string[] = [];
for (let batch = await spill.take(); batch !== null; batch = await spill.take()) {
  taken.push(...batch.chunks.map(({ id }) => id));
  spill.acknowledge();
}
console.log(JSON.stringify({ written, taken, ...end }));
await spill.close();
