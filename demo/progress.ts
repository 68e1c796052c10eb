import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { say } from '../dev/steps.ts';
import type { Traffic } from './traffic.ts';

/** What the display needs from a kind of traffic. */
type Watched = Pick<Traffic<unknown>, 'total' | 'done' | 'describe'>;

const barEveryMs = 100;
const lineEveryMs = 2_000;

/**
 * Shows the demo's progress until it is stopped, on standard error: a bar for each kind of traffic on a terminal, otherwise a line
 * now and then.
 *
 * @param watched the kinds of traffic by their names
 */
export function createProgress(watched: Readonly<Record<string, Watched>>) {
  const kinds = Object.entries(watched);
  const bars = process.stderr.isTTY ? startBars(kinds) : null;
  const show = (): void => {
    if (bars === null) say(toLine(kinds));
    else for (const [bar, traffic] of bars.each) bar.update(traffic.done(), { detail: traffic.describe() });
  };
  const timer = setInterval(show, bars === null ? lineEveryMs : barEveryMs);
  return {
    say(line: string): void {
      if (bars === null) say(line);
      else bars.all.log(`sluice: ${line}\n`);
    },
    /** On a terminal, the bars stay in their last state. */
    stop(): void {
      clearInterval(timer);
      if (bars === null) return;
      show();
      bars.all.stop();
    },
  };
}

/** `810 of 2000 requests: 790 queued`, for each kind. */
function toLine(kinds: readonly [name: string, traffic: Watched][]): string {
  return kinds
    .map(([name, traffic]) => `${traffic.done()} of ${traffic.total} ${name}: ${traffic.describe()}`)
    .join('; ');
}

function startBars(kinds: readonly [name: string, traffic: Watched][]) {
  const longest = Math.max(...kinds.map(([name]) => name.length));
  const format = '{name} {bar} {percentage}% | {value}/{total} | {detail}';
  const all = new MultiBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  const each = kinds.map(([name, traffic]): [SingleBar, Watched] => [
    all.create(traffic.total, 0, { name: name.padEnd(longest), detail: '' }),
    traffic,
  ]);
  return { all, each };
}
