import { Counter, Gauge, type Registry } from 'prom-client';
import type { Findings } from './findings.ts';

/** What a maintenance worker tells Prometheus. */
export type MaintenanceMetrics = ReturnType<typeof createMaintenanceMetrics>;

/** Counters are this worker's own; what was found is the same at every maintenance worker: take the maximum, not the sum. */
export function createMaintenanceMetrics(
  registry: Registry,
  sources: { findings: () => Promise<Findings | null>; isOutage: () => boolean },
) {
  const registers = [registry];
  const runs = new Counter({
    name: 'sluice_maintenance_runs_total',
    help: 'Runs of a task by how they ended: done, postponed (something is locked), refused (the clocks differ), interrupted or failed',
    labelNames: ['task', 'outcome'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'sluice_partitions_dropped_total',
    help: 'Partitions dropped because all of their rows were older than the retention',
    registers,
  });
  const archived = new Counter({
    name: 'sluice_partitions_archived_total',
    help: 'Expired partitions whose rows were written to SLUICE_ARCHIVE_DIR before they were dropped, by result: archived, or failed (the partition is kept)',
    labelNames: ['result'] as const,
    registers,
  });
  const moved = new Counter({
    name: 'sluice_partition_rows_moved_total',
    help: 'Rows that were taken out of the DEFAULT partition to partitions of their own',
    registers,
  });
  const purged = new Counter({
    name: 'sluice_rows_purged_total',
    help: 'Rows deleted because they were older than their retention, by table',
    labelNames: ['table'] as const,
    registers,
  });
  const deletedEarly = new Counter({
    name: 'sluice_rows_deleted_early_total',
    help: 'Rows deleted sooner after they were stored than they are to be kept, by table; with dropped partitions, up to 10,000 for each',
    labelNames: ['table'] as const,
    registers,
  });
  new Gauge({
    name: 'sluice_maintenance_last_success_timestamp_seconds',
    help: 'When a run of the task ended well for the last time, at any maintenance worker',
    labelNames: ['task'] as const,
    registers,
    async collect() {
      const found = await sources.findings();
      this.reset();
      for (const [task, seconds] of Object.entries(found?.lastSuccess ?? {})) this.set({ task }, seconds);
    },
  });
  const found: [name: string, help: string, pick: (findings: Findings) => number | undefined][] = [
    ['sluice_partition_default_rows', 'Rows in the DEFAULT partition, counted up to 10,000', (f) => f.defaultRows],
    [
      'sluice_partitions_ahead_days',
      'Days from the last look to the first instant that has no partition but the DEFAULT one',
      (f) => f.aheadDays,
    ],
    [
      'sluice_partitions_blocked',
      'Days whose own partition cannot be made because the DEFAULT partition has rows of them',
      (f) => f.blocked,
    ],
    ['sluice_partitions_overdue', 'Partitions older than the retention that are still there', (f) => f.overdue],
  ];
  for (const [name, help, pick] of found) {
    new Gauge({
      name,
      help: `${help}. Absent before the first look, and while Redis does not answer`,
      registers,
      async collect() {
        const findings = await sources.findings();
        const value = findings === null ? undefined : pick(findings);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
  new Gauge({
    name: 'sluice_database_outage',
    help: '1 while a task waits for PostgreSQL to answer, else 0',
    registers,
    collect() {
      this.set(sources.isOutage() ? 1 : 0);
    },
  });
  return { runs, dropped, archived, moved, purged, deletedEarly };
}
