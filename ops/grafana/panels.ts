/** One line, or a set of lines, of a panel. */
export interface Query {
  /** PromQL. `$namespace` is the fleet, `$__rate_interval` four scrapes at least; both are Grafana's */
  expr: string;
  /** `{{label}}` stands for a label's value */
  legend: string;
}

export interface Panel {
  title: string;
  /** what a reader cannot see from the title */
  description?: string;
  /** as Grafana names it */
  unit: 'short' | 's' | 'ops' | 'bytes' | 'd' | 'percentunit';
  queries: readonly Query[];
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

/** Series of the fleet. */
function of(metric: string): string {
  return `${metric}{namespace=~"$namespace"}`;
}

function rate(metric: string, by: string): string {
  return `sum by (${by}) (rate(${of(metric)}[$__rate_interval]))`;
}

function quantile(share: number, metric: string, by: string): string {
  return `histogram_quantile(${share}, ${rate(`${metric}_bucket`, `${by}, le`)})`;
}

/** Percentiles by a label: the middle and the tail. */
function percentiles(metric: string, by: string): Query[] {
  return [0.5, 0.99].map((share) => ({
    expr: quantile(share, metric, by),
    legend: `p${share * 100} ${namesOf(by)}`,
  }));
}

/** The name of a line: the values of its labels. */
function namesOf(by: string): string {
  return `{{${by.replaceAll(', ', '}} {{')}}}`;
}

/** @param suffix tells these lines from the panel's others */
function rates(metric: string, by: string, suffix = ''): Query {
  return { expr: rate(metric, by), legend: namesOf(by) + suffix };
}

function highest(metric: string, by: string, suffix = ''): Query {
  return { expr: `max by (${by}) (${of(metric)})`, legend: namesOf(by) + suffix };
}

function sums(metric: string, by: string, suffix = ''): Query {
  return { expr: `sum by (${by}) (${of(metric)})`, legend: namesOf(by) + suffix };
}

/** The dashboard, row by row. Every metric that a process serves is in one of the panels. */
export const rows: readonly Row[] = [
  {
    title: 'Fleet',
    panels: [
      {
        title: 'Records per second, by outcome',
        unit: 'ops',
        queries: [{ expr: of('namespace_queue_outcome:sluice_records:rate5m'), legend: '{{queue}} {{outcome}}' }],
      },
      {
        title: 'Oldest waiting job',
        unit: 's',
        queries: [{ expr: of('namespace_role:sluice_queue_oldest_job_seconds:max'), legend: '{{role}}' }],
      },
      {
        title: 'Jobs in the queue, by state',
        unit: 'short',
        queries: [{ expr: of('namespace_role_state:sluice_queue_jobs:max'), legend: '{{role}} {{state}}' }],
      },
      {
        title: 'Backlog, in seconds at the present speed',
        description: 'What the autoscaler goes by. It needs the console, and no worker.',
        unit: 's',
        queries: [{ expr: of('namespace_queue:sluice_queue_backlog_seconds:max'), legend: '{{queue}}' }],
      },
      {
        title: 'Backlog, pause, and whether a worker is needed',
        unit: 'short',
        queries: [
          highest('sluice_queue_backlog_jobs', 'queue', ' jobs'),
          highest('sluice_queue_paused', 'queue', ' paused'),
          highest('sluice_queue_min_workers', 'queue', ' needs a worker'),
        ],
      },
      {
        title: 'The books: records that are not accounted for',
        description:
          'Of the last 24 hours, by the console. Missing: Redis had them, and they are not stored. Uncertain: the most that producers may have lost which ended without a word. Unexplained: a check of the counting.',
        unit: 'short',
        queries: [
          highest('sluice_ledger_missing_records', 'queue', ' missing'),
          highest('sluice_ledger_uncertain_records', 'queue', ' uncertain'),
          highest('sluice_ledger_unexplained_records', 'queue', ' unexplained'),
        ],
      },
      {
        title: 'Jobs arriving and completed per second',
        unit: 'ops',
        queries: [highest('sluice_queue_rate', 'queue, direction')],
      },
      {
        title: 'What holds a role up',
        description: '1 while it does.',
        unit: 'short',
        queries: [
          highest('sluice_database_outage', 'role', ': PostgreSQL'),
          highest('sluice_worker_halted', 'role', ': halted'),
          highest('sluice_dead_letters_blocked', 'role', ': dead letters'),
        ],
      },
      {
        title: 'Log lines that could not be written, per second',
        unit: 'ops',
        queries: [rates('sluice_log_lines_dropped_total', 'job')],
      },
    ],
  },
  {
    title: 'Workers',
    panels: [
      { title: 'Jobs per second, by outcome', unit: 'ops', queries: [rates('sluice_jobs_total', 'queue, outcome')] },
      { title: 'Time in the queue', unit: 's', queries: percentiles('sluice_job_wait_seconds', 'queue') },
      {
        title: 'Shards, by state',
        description:
          'As the workers see them. The jobs of a shard that is silent or refused wait; those of the others are taken.',
        unit: 'short',
        queries: [{ expr: `max by (role, state) (${of('sluice_queue_shards')})`, legend: '{{role}} {{state}}' }],
      },
      { title: 'Statement time', unit: 's', queries: percentiles('sluice_statement_seconds', 'queue, result') },
      { title: 'Records per statement', unit: 'short', queries: percentiles('sluice_batch_records', 'queue') },
      {
        title: 'Repeated statements per second, by error',
        unit: 'ops',
        queries: [rates('sluice_statement_retries_total', 'queue, class, code')],
      },
      {
        title: 'Batches tried by COPY, by result',
        unit: 'ops',
        queries: [rates('sluice_copies_total', 'queue, result')],
      },
      { title: 'Records held by workers', unit: 'short', queries: [sums('sluice_worker_held_records', 'role')] },
      {
        title: 'Records with impossible times, per second',
        unit: 'ops',
        queries: [rates('sluice_records_implausible_total', 'queue')],
      },
      {
        title: 'Records without an account in the ledger, per second',
        unit: 'ops',
        queries: [rates('sluice_records_unaccounted_total', 'queue')],
      },
      {
        title: 'Reports of producers to the ledger, per second',
        unit: 'ops',
        queries: [rates('sluice_ledger_reports_total', 'queue, outcome')],
      },
    ],
  },
  {
    title: 'Producers of executions',
    panels: [
      {
        title: 'Runs per second, by status',
        unit: 'ops',
        queries: [rates('dsl_execution_duration_seconds_count', 'strategy_type, status')],
      },
      { title: 'Duration of runs', unit: 's', queries: percentiles('dsl_execution_duration_seconds', 'strategy_type') },
      { title: 'Failures per second, by code', unit: 'ops', queries: [rates('dsl_execution_errors_total', 'code')] },
      {
        title: 'Nodes evaluated per second',
        unit: 'ops',
        queries: [rates('dsl_execution_nodes_total', 'strategy_type')],
      },
      {
        title: 'Records per second, by how they left',
        unit: 'ops',
        queries: [rates('sluice_producer_records_total', 'job, outcome')],
      },
      {
        title: 'Dropped records per second, by realm',
        unit: 'ops',
        queries: [rates('dsl_execution_log_dropped_total', 'realm, strategy_type')],
      },
      { title: 'Buffer: records', unit: 'short', queries: [sums('sluice_producer_buffer_records', 'job')] },
      { title: 'Buffer: bytes', unit: 'bytes', queries: [sums('sluice_producer_buffer_bytes', 'job')] },
      {
        title: 'Failed sends, and series beyond the limit, per second',
        unit: 'ops',
        queries: [
          rates('sluice_producer_send_failures_total', 'job', ' send failures'),
          rates('sluice_producer_series_overflow_total', 'job, metric'),
        ],
      },
      {
        title: 'Shards left alone',
        description: 'Of executions and requests. Above 0, a server of the cluster does not take what producers send.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (job, queue) (${of('sluice_producer_shards_left_alone')})`,
            legend: '{{job}} {{queue}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Senders of requests',
    panels: [
      {
        title: 'Calls per second, by result',
        unit: 'ops',
        queries: [rates('sluice_requests_sent_total', 'job, result')],
      },
      {
        title: 'Records per second, by outcome',
        unit: 'ops',
        queries: [rates('sluice_request_records_total', 'job, outcome')],
      },
      {
        title: 'Buffer: records, and sends that wait for room',
        unit: 'short',
        queries: [
          sums('sluice_request_buffer_records', 'job', ' records'),
          sums('sluice_request_sends_waiting', 'job', ' waiting'),
        ],
      },
      { title: 'Buffer: bytes', unit: 'bytes', queries: [sums('sluice_request_buffer_bytes', 'job')] },
      {
        title: 'Time that waiting sends waited',
        unit: 's',
        queries: percentiles('sluice_request_send_wait_seconds', 'job'),
      },
      {
        title: 'Waits and failed sends per second',
        unit: 'ops',
        queries: [
          rates('sluice_request_send_waits_total', 'job', ' waits'),
          rates('sluice_request_send_failures_total', 'job', ' send failures'),
        ],
      },
    ],
  },
  {
    title: 'Spill',
    panels: [
      {
        title: 'Records per second, by event',
        unit: 'ops',
        queries: [rates('sluice_spill_records_total', 'job, queue, event')],
      },
      { title: 'Waiting on disk: records', unit: 'short', queries: [sums('sluice_spill_records', 'job, queue')] },
      {
        title: 'Waiting on disk, and lost: bytes',
        unit: 'bytes',
        queries: [
          sums('sluice_spill_bytes', 'job, queue'),
          sums('sluice_spill_lost_bytes_total', 'job, queue', ' lost'),
        ],
      },
      {
        title: 'Refusals per second, by reason',
        unit: 'ops',
        queries: [rates('sluice_spill_refusals_total', 'job, queue, reason')],
      },
    ],
  },
  {
    title: 'Health events',
    panels: [
      { title: 'Events per second, by result', unit: 'ops', queries: [rates('sluice_health_events_total', 'result')] },
      {
        title: 'Lag',
        unit: 's',
        queries: [{ expr: `max(${of('sluice_health_lag_seconds')})`, legend: 'oldest entry' }],
      },
      {
        title: 'Entries: unread, held, removed unread',
        unit: 'short',
        queries: [
          { expr: `max(${of('sluice_health_lag_entries')})`, legend: 'unread' },
          { expr: `sum(${of('sluice_health_held_entries')})`, legend: 'held' },
          { expr: `sum(${of('sluice_health_gap_entries_total')})`, legend: 'removed unread' },
        ],
      },
      {
        title: 'Entries and snapshots per second',
        unit: 'ops',
        queries: [
          { expr: rate('sluice_health_events_consumed_total', 'namespace'), legend: 'entries' },
          rates('sluice_lobby_events_published_total', 'event_type'),
        ],
      },
      {
        title: 'Snapshots that wait, stuck records',
        unit: 'short',
        queries: [
          { expr: `max(${of('sluice_health_outbox_rows')})`, legend: 'snapshots' },
          { expr: `max(${of('sluice_health_stuck_records')})`, legend: 'stuck records' },
        ],
      },
      {
        title: 'Who reads, and whether it may publish',
        unit: 'short',
        queries: [
          { expr: of('sluice_health_lease_held'), legend: '{{instance}} reads' },
          { expr: `max(${of('sluice_health_lobby_refused')})`, legend: 'publishing refused' },
        ],
      },
      { title: 'Commit time', unit: 's', queries: percentiles('sluice_health_commit_seconds', 'namespace') },
      {
        title: 'Conflicts, refusals of old readers and repeated calls per second',
        unit: 'ops',
        queries: [
          { expr: rate('sluice_health_conflicts_total', 'namespace'), legend: 'conflicts' },
          { expr: rate('sluice_health_fenced_total', 'namespace'), legend: 'fenced' },
          rates('sluice_health_retries_total', 'server, code'),
        ],
      },
    ],
  },
  {
    title: 'Maintenance',
    panels: [
      {
        title: 'Since the last success',
        unit: 's',
        queries: [
          {
            expr: `time() - max by (task) (${of('sluice_maintenance_last_success_timestamp_seconds')})`,
            legend: '{{task}}',
          },
        ],
      },
      {
        title: 'Runs per hour, by outcome',
        unit: 'short',
        queries: [
          {
            expr: `sum by (task, outcome) (increase(${of('sluice_maintenance_runs_total')}[1h]))`,
            legend: '{{task}} {{outcome}}',
          },
        ],
      },
      {
        title: 'Partitions ahead',
        unit: 'd',
        queries: [{ expr: `max(${of('sluice_partitions_ahead_days')})`, legend: 'days' }],
      },
      {
        title: 'Partitions blocked and overdue',
        unit: 'short',
        queries: [
          { expr: `max(${of('sluice_partitions_blocked')})`, legend: 'blocked' },
          { expr: `max(${of('sluice_partitions_overdue')})`, legend: 'overdue' },
        ],
      },
      {
        title: 'Rows in the DEFAULT partition, and moved out of it per hour',
        unit: 'short',
        queries: [
          { expr: `max(${of('sluice_partition_default_rows')})`, legend: 'rows' },
          { expr: `sum(increase(${of('sluice_partition_rows_moved_total')}[1h]))`, legend: 'moved' },
        ],
      },
      {
        title: 'Partitions dropped and archived per day',
        unit: 'short',
        queries: [
          { expr: `sum(increase(${of('sluice_partitions_dropped_total')}[1d]))`, legend: 'dropped' },
          { expr: `sum by (result) (increase(${of('sluice_partitions_archived_total')}[1d]))`, legend: '{{result}}' },
        ],
      },
      {
        title: 'Rows purged per day, and deleted early',
        unit: 'short',
        queries: [
          { expr: `sum by (table) (increase(${of('sluice_rows_purged_total')}[1d]))`, legend: '{{table}} purged' },
          {
            expr: `sum(increase(${of('sluice_request_facts_read_total')}[1d]))`,
            legend: 'requests read for their facts',
          },
          {
            expr: `sum by (table) (increase(${of('sluice_rows_deleted_early_total')}[1d]))`,
            legend: '{{table}} early',
          },
        ],
      },
    ],
  },
  {
    title: 'Gateway',
    panels: [
      {
        title: 'Records per second, by sender and outcome',
        description:
          'accepted: in Redis, and answered with 202. unconfirmed: put into the buffer, and the body was refused; the sender repeats it.',
        unit: 'ops',
        queries: [rates('sluice_gateway_records_total', 'sender, kind, outcome')],
      },
      {
        title: 'Bodies refused per second, by reason',
        unit: 'ops',
        queries: [rates('sluice_gateway_refusals_total', 'code')],
      },
      {
        title: 'Requests per second, by status',
        unit: 'ops',
        queries: [rates('sluice_gateway_request_seconds_count', 'status')],
      },
      {
        title: 'Time from the headers to the answer, by route',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'sluice_gateway_request_seconds', 'route'), legend: 'p99 {{route}}' }],
      },
      {
        title: 'Bytes of bodies per second, by sender',
        unit: 'bytes',
        queries: [rates('sluice_gateway_body_bytes_total', 'sender')],
      },
      {
        title: 'Connections and bodies in progress',
        unit: 'short',
        queries: [
          sums('sluice_gateway_connections', 'instance', ' connections'),
          sums('sluice_gateway_bodies', 'instance', ' bodies'),
        ],
      },
      {
        title: 'Memory set aside for bodies that are being read',
        unit: 'bytes',
        queries: [sums('sluice_gateway_unread_bytes', 'instance')],
      },
      {
        title: 'Redis away, and files that cannot be used',
        description:
          '1: yes. Files: those with the tokens or for TLS have changed and cannot be used; the previous ones stay in use.',
        unit: 'short',
        queries: [
          highest('sluice_gateway_redis_away', 'instance', ' Redis away'),
          highest('sluice_gateway_reload_failed', 'instance, files', ' failed'),
        ],
      },
      {
        title: 'Time until the certificate expires',
        unit: 's',
        queries: [
          {
            expr: `${highest('sluice_gateway_certificate_expiry_timestamp_seconds', 'instance').expr} - time()`,
            legend: '{{instance}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Console',
    panels: [
      {
        title: 'Requests per second, by status',
        unit: 'ops',
        queries: [rates('sluice_console_request_seconds_count', 'status')],
      },
      {
        title: 'Time of requests, by route',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'sluice_console_request_seconds', 'route'), legend: 'p99 {{route}}' }],
      },
    ],
  },
];
