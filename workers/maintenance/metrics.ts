import { Counter, Gauge, type Registry } from 'prom-client';
import { readGaugesOf } from '../../shared/platform/read-gauges.ts';
import { blockedDaysMetric } from '../partitions/blocked-days.ts';
import type { Findings } from './findings.ts';
import { type TaskOutcome, taskNames } from './task.ts';

/** What a maintenance worker tells Prometheus. */
export type MaintenanceMetrics = ReturnType<typeof createMaintenanceMetrics>;

const taskOutcomes = [
  'done',
  'postponed',
  'refused',
  'interrupted',
  'failed',
] as const satisfies readonly TaskOutcome[];

/**
 * Counters are this worker's own, and are there from the start, at 0: Prometheus sees no increase in a series that begins
 * with 1. What was found is the same at every maintenance worker: take the maximum, not the sum.
 *
 * @param sources.tables whose rows may be deleted
 */
export function createMaintenanceMetrics(
  registry: Registry,
  sources: { tables: readonly string[]; findings: () => Promise<Findings | null>; isOutage: () => boolean },
) {
  const registers = [registry];
  const runs = new Counter({
    name: 'sluice_maintenance_runs_total',
    help: 'Task runs by outcome: done, postponed (something is locked), refused (the clocks differ), interrupted or failed',
    labelNames: ['task', 'outcome'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'sluice_partitions_dropped_total',
    help: 'Partitions dropped because all their rows were older than the retention period',
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
    help: 'Rows moved from the DEFAULT partition to their own partitions',
    registers,
  });
  const purged = new Counter({
    name: 'sluice_rows_purged_total',
    help: 'Rows deleted because they were older than their retention period, by table',
    labelNames: ['table'] as const,
    registers,
  });
  const deletedEarly = new Counter({
    name: 'sluice_rows_deleted_early_total',
    help: 'Rows deleted before their retention period had passed since they were stored, by table; up to 10,000 for each dropped partition',
    labelNames: ['table'] as const,
    registers,
  });
  const factsRead = new Counter({
    name: 'sluice_request_facts_read_total',
    help: 'Stored requests whose bodies maintenance has read for their facts, since no worker of this version had',
    registers,
  });
  const gauge = readGaugesOf(registry);
  new Gauge({
    name: 'sluice_maintenance_last_success_timestamp_seconds',
    help: 'Time of the last successful run of the task on any maintenance worker',
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
      'Days from the last check to the first instant that has no partition but the DEFAULT one',
      (f) => f.aheadDays,
    ],
    [blockedDaysMetric.name, blockedDaysMetric.help, (f) => f.blocked],
    ['sluice_partitions_overdue', 'Partitions older than the retention period that still exist', (f) => f.overdue],
  ];
  for (const [name, help, pick] of found) {
    gauge(name, `${help}. Absent before the first check and while Redis does not answer`, async () => {
      const findings = await sources.findings();
      return findings === null ? null : (pick(findings) ?? null);
    });
  }
  gauge('sluice_database_outage', '1 while a task waits for PostgreSQL to answer, else 0', sources.isOutage);
  for (const task of taskNames) for (const outcome of taskOutcomes) runs.inc({ task, outcome }, 0);
  for (const result of ['archived', 'failed']) archived.inc({ result }, 0);
  for (const table of sources.tables) for (const one of [purged, deletedEarly]) one.inc({ table }, 0);
  return { runs, dropped, archived, moved, purged, deletedEarly, factsRead };
}
