import { Counter, type Registry } from 'prom-client';

/** Counts log lines that could not be written. Several may share one registry. */
export function createLineCounter(registry: Registry): { dropped(): void } {
  const name = 'sluice_log_lines_dropped_total';
  const counter =
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help: 'Log lines that could not be written', registers: [registry] });
  return { dropped: () => counter.inc() };
}
