import { cpuCells, cpuHead, table, whole } from '../table.ts';
import type { HealthModeResult, HealthResult } from './measure.ts';

/** The figures of health events as a text for people, a list of lines for each table. */
export function healthLines(result: HealthResult): string[][] {
  return [drainLines(result), latencyLines(result)];
}

function drainLines({ hardened, mirror }: HealthResult): string[] {
  const line = ({ drained }: HealthModeResult): string[] => {
    const { name, rowsPerSecond, rounds, rows, cpuUsPerRow: cpu } = drained;
    return [
      name,
      whole(rowsPerSecond),
      `${whole(Math.min(...rounds))}–${whole(Math.max(...rounds))}`,
      (rowsPerSecond / mirror.drained.rowsPerSecond).toFixed(1),
      whole(rows),
      ...(cpu === null ? [] : cpuCells(cpu, rowsPerSecond)),
    ];
  };
  const head = ['health events, a backlog', 'events/s', 'of the rounds', '× mirror', 'events'];
  const [, ...cpuOfOthers] = cpuHead;
  return table([
    mirror.drained.cpuUsPerRow === null ? head : [...head, 'CPU µs an event: bench', ...cpuOfOthers],
    line(hardened),
    line(mirror),
  ]);
}

function latencyLines({ hardened, mirror }: HealthResult): string[] {
  return table([
    ['event written to lobby informed', 'events/s', 'p50 ms', 'p99 ms', 'max ms', 'events'],
    ...[hardened, mirror].map(({ drained, latency }) => [
      drained.name,
      whole(latency.eventsPerSecond),
      latency.p50Ms.toFixed(1),
      latency.p99Ms.toFixed(1),
      latency.maxMs.toFixed(1),
      whole(latency.samples),
    ]),
  ]);
}
