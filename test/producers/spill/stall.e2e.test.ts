import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createDirectory, until } from '../../support/fixtures.ts';
import { startJsonProcess } from '../../support/json-process.ts';
import { aSpill, takeAll } from '../../support/spill.ts';

interface WriterLine {
  written: number;
  /** on its last line */
  taken?: string[];
  takenOver: number;
  lost: number;
  refused: number;
  troubles: string[];
}

const timing = { heartbeatMs: 20, silentAfterMs: 400, watchMs: 50, rescanMs: 50 };

test.each<[string, NodeJS.Signals, NodeJS.Signals | null]>([
  ['is stopped and goes on', 'SIGSTOP', 'SIGCONT'],
  ['is held up in its event loop', 'SIGUSR2', null],
])(
  'stall: of a writing process that %s every chunk is found once, by it or by the one that took over',
  async (_stall, stall, goOn) => {
    const dir = await createDirectory();
    const writer = startJsonProcess<WriterLine>('spill-process.ts', {
      TEST_DIR: dir,
      TEST_TIMING: JSON.stringify(timing),
    });
    await until(() => (writer.last?.written ?? 0) > 20);
    const other = aSpill(dir, { life: 'other-1700000000001', timing });
    const found: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      writer.kill(stall);
      await until(() => other.found >= round);
      found.push(...(await takeAll(other.spill)));
      const before = writer.last?.written ?? 0;
      if (goOn !== null) writer.kill(goOn);
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
