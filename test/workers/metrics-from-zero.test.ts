import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createHealthMetrics } from '../../workers/health-events/metrics.ts';
import { createWorkerMetrics } from '../../workers/ingest/metrics.ts';
import { createMaintenanceMetrics } from '../../workers/maintenance/metrics.ts';

const none = async () => null;

test('metrics: what alerts count is there before anything has happened, as the first increase is not seen else', async () => {
  const registry = new Registry();
  createWorkerMetrics(registry, {
    queue: 'execution-log',
    heldRecords: () => 0,
    queueDepth: none,
    shards: () => ({ working: 1, refused: 0, silent: 0 }),
    isHalted: () => false,
    isOutage: () => false,
    lacksDeadLetterBox: () => false,
  });
  expect(await linesOf(registry)).toEqual(
    expect.arrayContaining([
      'sluice_records_total{queue="execution-log",outcome="dead"} 0',
      'sluice_records_total{queue="execution-log",outcome="failed"} 0',
      'sluice_jobs_total{queue="execution-log",outcome="failed"} 0',
      'sluice_jobs_total{queue="execution-log",outcome="stalled"} 0',
      'sluice_records_implausible_total{queue="execution-log"} 0',
    ]),
  );
});

test('metrics: those of maintenance are there for each table, task and result', async () => {
  const registry = new Registry();
  createMaintenanceMetrics(registry, { tables: ['a_table'], findings: none, isOutage: () => false });
  expect(await linesOf(registry)).toEqual(
    expect.arrayContaining([
      'sluice_rows_deleted_early_total{table="a_table"} 0',
      'sluice_maintenance_runs_total{task="retention",outcome="failed"} 0',
      'sluice_partitions_archived_total{result="failed"} 0',
    ]),
  );
});

test('metrics: those of health events are there for each way to become a dead letter', async () => {
  const registry = new Registry();
  createHealthMetrics(registry, {
    isLeader: () => true,
    behind: () => null,
    lagSeconds: () => null,
    heldEntries: () => 0,
    isRefusedByLobby: () => null,
    outboxRows: none,
    stuckRecords: none,
    isOutage: () => false,
  });
  expect(await linesOf(registry)).toEqual(
    expect.arrayContaining([
      'sluice_health_events_total{event_type="none",result="malformed"} 0',
      'sluice_health_events_total{event_type="container_oom",result="unknown_game"} 0',
      'sluice_health_gap_entries_total 0',
    ]),
  );
});

async function linesOf(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n');
}
