import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectory, until } from '../../../support/fixtures.ts';
import { startJsonProcess } from '../../../support/json-process.ts';
import { aSpill, takeAll } from '../../../support/spill.ts';

interface WriterLine {
  written: number;
  /** on its last line */
  taken?: string[];
  takenOver: number;
  lost: number;
  refused: number;
  troubles: string[];
}

const timing = { heartbeatMs: 20, silentAfterMs: 400, lookMs: 50 };

test.each<[string, NodeJS.Signals]>([
  ['is stopped and goes on', 'SIGSTOP'],
  ['is held up in its event loop', 'SIGUSR2'],
])(
  'stall: of a writing process that %s every chunk is found once, by it or by the one that took over',
  async (_stall, stall) => {
    const dir = await createDirectory();
    const gate = join(await createDirectory(), 'open');
    const writer = startJsonProcess<WriterLine>('spill-process.ts', {
      TEST_DIR: dir,
      TEST_GATE: gate,
      // It never looks at the directories of others, so what it has in the end is its own.
      TEST_TIMING: JSON.stringify({ ...timing, lookMs: 1_000_000 }),
    });
    await until(() => (writer.last?.written ?? 0) > 20);
    const other = aSpill(dir, { session: 'other-1700000000001', timing });
    const found: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      writer.kill(stall);
      await until(() => other.found >= round);
      found.push(...(await takeAll(other.spill)));
      const before = writer.last?.written ?? 0;
      if (stall === 'SIGSTOP') writer.kill('SIGCONT');
      else await writeFile(gate, '');
      await until(() => (writer.last?.written ?? 0) > before + 20);
    }
    writer.kill('SIGTERM');
    expect(await writer.ended).toBe(0);
    found.push(...(await takeAll(other.spill)));

    const { written, taken = [], takenOver, lost, refused, troubles } = writer.last as WriterLine;
    const all = Array.from({ length: written }, (_, index) => `w.${index}`);
    expect(new Set([...found, ...taken])).toEqual(new Set(all));
    expect(takenOver + taken.length).toBe(written);
    expect({ lost, refused }).toEqual({ lost: 0, refused: 0 });
    expect(troubles.length).toBeGreaterThanOrEqual(3);
    expect(other.lost).toEqual({ bytes: 0, ownRecords: 0 });
    expect(await readdir(dir)).toEqual([]);
  },
);
