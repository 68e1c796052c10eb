import { Presets, SingleBar } from 'cli-progress';
import type { Erasure } from '../console/repository/erase-creator.ts';

/** Between two lines where there is no terminal. */
const lineEveryMs = 2_000;

/** Shows how far an erasure is, on standard error: a bar on a terminal, elsewhere a line now and then. */
export function createErasureProgress(requests: number) {
  const bar = process.stderr.isTTY
    ? new SingleBar(
        {
          format: 'erasing {bar} {percentage}% | {value}/{total} requests, {deadLetters} dead letters',
          stream: process.stderr,
          hideCursor: true,
        },
        Presets.shades_classic,
      )
    : null;
  bar?.start(requests, 0, { deadLetters: 0 });
  let saidAtMs = performance.now();
  return {
    show({ requests: erased, deadLetters }: Omit<Erasure, 'isDone'>): void {
      if (bar !== null) {
        // What has arrived since it was counted goes, too.
        if (erased > bar.getTotal()) bar.setTotal(erased);
        bar.update(erased, { deadLetters });
      } else if (performance.now() - saidAtMs >= lineEveryMs) {
        saidAtMs = performance.now();
        process.stderr.write(`sluice: ${erased} of ${requests} requests erased, ${deadLetters} dead letters\n`);
      }
    },
    stop(): void {
      bar?.stop();
    },
  };
}
