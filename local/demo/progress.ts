import { Presets, SingleBar } from 'cli-progress';
import { say } from '../steps.ts';

const barEveryMs = 100;
const lineEveryMs = 2_000;

/** Shows how far the demo is: a bar on a terminal, a line now and then elsewhere. To standard error. */
export function createProgress(total: number) {
  const bar = process.stderr.isTTY ? startBar(total) : null;
  const everyMs = bar === null ? lineEveryMs : barEveryMs;
  let nextAt = 0;
  return {
    update(done: number, detail: string): void {
      if (performance.now() < nextAt) return;
      nextAt = performance.now() + everyMs;
      if (bar === null) say(`${done} of ${total} executions: ${detail}`);
      else bar.update(done, { detail });
    },
    say(line: string): void {
      if (bar === null) say(line);
      else bar.update({ detail: line });
    },
    stop(): void {
      bar?.stop();
    },
  };
}

function startBar(total: number): SingleBar {
  const format = 'executions {bar} {percentage}% | {value}/{total} | {detail}';
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0, { detail: '' });
  return bar;
}
