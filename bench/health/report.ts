import { contenderTable, table, whole } from '../table.ts';
import type { HealthResult } from './measure.ts';

/** The figures of health events as a text for people, a list of lines for each table. */
export function healthLines(result: HealthResult): string[][] {
  return [drainLines(result), latencyLines(result)];
}

function drainLines({ hardened, mirror }: HealthResult): string[] {
  const { rowsPerSecond: slow } = mirror.drained;
  return contenderTable(
    'health events, a backlog',
    [hardened.drained, mirror.drained],
    { '× mirror': (rowsPerSecond) => (rowsPerSecond / slow).toFixed(1) },
    { unit: 'events', cpu: 'CPU µs an event: bench' },
  );
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
