import { Presets, SingleBar } from 'cli-progress';

/** The time between two lines if standard error is not a terminal. */
const lineEveryMs = 2_000;

/** Shows the progress of an erasure on standard error: a bar on a terminal, otherwise a line now and then. */
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
    /** @param beside what else to print */
    show(done: number, beside: string, newTotal = total): void {
      if (bar !== null) {
        // What has arrived since the count is erased as well.
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
