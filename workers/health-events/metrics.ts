import { Counter, Histogram, type Registry } from 'prom-client';
import { healthEventTypes } from '../../shared/contracts/health-event.ts';
import { readGaugesOf } from '../../shared/platform/read-gauges.ts';

export type HealthMetrics = ReturnType<typeof createHealthMetrics>;

/** What the gauges ask when they are scraped; null where there is no answer. */
export interface HealthSources {
  isLeader(): boolean;
  /** entries that were not read yet */
  behind(): number | null;
  /** age of the oldest entry known that is not dealt with; 0 when there is none */
  lagSeconds(): number | null;
  heldEntries(): number;
  /** null in a worker that does not read the stream */
  isRefusedByLobby(): boolean | null;
  outboxRows(): Promise<number | null>;
  stuckRecords(): Promise<number | null>;
  isOutage(): boolean;
}

/** How entries end that become dead letters: those that cannot be read, and those of a known type. */
const unreadable = ['malformed', 'unknown_type'] as const;
const unusable = ['unknown_game', 'refused', 'orphaned'] as const;

/**
 * Registers the metrics of the role. What alerts count is there from the start, at 0: Prometheus sees no increase in a series
 * that begins with 1.
 */
export function createHealthMetrics(registry: Registry, sources: HealthSources) {
  const registers = [registry];
  const consumed = new Counter({
    name: 'sluice_health_events_consumed_total',
    help: 'Stream entries processed, whatever the outcome',
    registers,
  });
  const events = new Counter({
    name: 'sluice_health_events_total',
    help: 'Entries by type and outcome: transitioned, observed, late, stale (of an earlier container), duplicate, malformed, unknown_type, unknown_game, refused (by the database) or orphaned (the stream was recreated while they had to wait)',
    labelNames: ['event_type', 'result'] as const,
    registers,
  });
  const published = new Counter({
    name: 'sluice_lobby_events_published_total',
    help: 'Snapshots added to the lobby stream',
    labelNames: ['event_type'] as const,
    registers,
  });
  const fenced = new Counter({
    name: 'sluice_health_fenced_total',
    help: 'Commits and publications refused because another consumer now reads the stream',
    registers,
  });
  const gapEntries = new Counter({
    name: 'sluice_health_gap_entries_total',
    help: 'Entries that were removed from the stream before they were read',
    registers,
  });
  const conflicts = new Counter({
    name: 'sluice_health_conflicts_total',
    help: 'Batches planned again because a record had changed or was locked',
    registers,
  });
  const retries = new Counter({
    name: 'sluice_health_retries_total',
    help: 'Retried calls, by server and error code',
    labelNames: ['server', 'code'] as const,
    registers,
  });
  const commit = new Histogram({
    name: 'sluice_health_commit_seconds',
    help: 'Time of one commit',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const gauge = readGaugesOf(registry);
  const ofLeader = 'Absent where it is unknown, as in a worker that does not read the stream';
  gauge('sluice_health_lease_held', '1 while this worker reads the stream, else 0', sources.isLeader);
  gauge('sluice_health_lag_entries', `Entries not read yet. ${ofLeader}`, sources.behind);
  gauge(
    'sluice_health_lag_seconds',
    `Age of the entries being processed while there are later ones, or of the oldest entry that has to wait, else 0. ${ofLeader}`,
    sources.lagSeconds,
  );
  gauge('sluice_health_held_entries', 'Entries of games that have to wait', sources.heldEntries);
  gauge(
    'sluice_health_lobby_refused',
    `1 while another consumer publishes to the lobby stream and this one may not, else 0. ${ofLeader}`,
    sources.isRefusedByLobby,
  );
  gauge('sluice_health_outbox_rows', `Snapshots not published yet. ${ofLeader}`, sources.outboxRows);
  gauge(
    'sluice_health_stuck_records',
    `Records with status engine_unreachable and health healthy. ${ofLeader}`,
    sources.stuckRecords,
  );
  gauge(
    'sluice_database_outage',
    '1 while statements wait for PostgreSQL to answer or to be repaired, else 0',
    sources.isOutage,
  );
  for (const result of unreadable) events.inc({ event_type: 'none', result }, 0);
  for (const event_type of healthEventTypes) for (const result of unusable) events.inc({ event_type, result }, 0);
  return { consumed, events, published, fenced, gapEntries, conflicts, retries, commit };
}
