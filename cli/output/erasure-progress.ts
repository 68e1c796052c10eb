import { Presets, SingleBar } from 'cli-progress';

/** Between two lines where there is no terminal. */
const lineEveryMs = 2_000;

/** Shows how far an erasure is, on standard error: a bar on a terminal, elsewhere a line now and then. */
export function createErasureProgress(total: number, unit: string) {
  const bar = process.stderr.isTTY
    ? new SingleBar(
        {
          format: `erasing {bar} {percentage}% | {value}/{total} ${unit}, {beside}`,
          stream: process.stderr,
          hideCursor: true,
        },
        Presets.shades_classic,
      )
    : null;
  bar?.start(total, 0, { beside: '' });
  let saidAtMs = performance.now();
  return {
    /** @param beside what else is to be said */
    show(done: number, beside: string, newTotal = total): void {
      if (bar !== null) {
        // What has arrived since it was counted goes, too.
        bar.setTotal(Math.max(done, newTotal));
        bar.update(done, { beside });
      } else if (performance.now() - saidAtMs >= lineEveryMs) {
        saidAtMs = performance.now();
        process.stderr.write(`sluice: ${done} of ${newTotal} ${unit}, ${beside}\n`);
      }
    },
    stop(): void {
      bar?.stop();
    },
  };
}
