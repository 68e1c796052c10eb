/** What has one alert fire, in promtool's notation. */
export interface AlertCase {
  alert: string;
  /** series by name, with a fault in their values */
  fault: Record<string, string>;
  /** the same series without one, up to the edge where there is one */
  calm: Record<string, string>;
  /** when it fires, with these labels beside those of the rule */
  firesAt: string;
  labels: Record<string, string>;
  /** when it does not fire yet. @default at the start */
  calmUntil?: string;
  /** from sample to sample, and from evaluation to evaluation. @default '1m' */
  interval?: string;
}

/** A counter that is at 0 for five minutes and rises by one then. */
const oneMore = '0x5 1x60';
const steady = '7x65';

function gauge(
  alert: string,
  series: string,
  values: { fault: string; calm: string },
  rest: Omit<AlertCase, 'alert' | 'fault' | 'calm'>,
): AlertCase {
  return { alert, fault: { [series]: values.fault }, calm: { [series]: values.calm }, ...rest };
}

/** An increase fires from the next evaluation on. */
function counter(alert: string, series: string, labels: Record<string, string>): AlertCase {
  return gauge(alert, series, { fault: oneMore, calm: steady }, { firesAt: '7m', calmUntil: '4m', labels });
}

const completion = 'sluice_queue_rate{namespace="n",queue="execution-log",direction="completion"}';
const backlog = 'sluice_queue_backlog_jobs{namespace="n",queue="execution-log"}';
const paused = 'sluice_queue_paused{namespace="n",queue="execution-log"}';
const inRole = { namespace: 'n', role: 'execution-log' };
const inQueue = { namespace: 'n', queue: 'execution-log' };
const inJob = { namespace: 'n', job: 'shop' };
const inFleet = { namespace: 'n' };

/** A case for each alert. */
export const alertCases: readonly AlertCase[] = [
  gauge(
    'SluiceRecordsMissing',
    'sluice_ledger_missing_records{namespace="n",queue="execution-log",instance="a"}',
    { fault: '0x5 3x60', calm: '0x65' },
    { firesAt: '11m', calmUntil: '10m', labels: inQueue },
  ),
  gauge(
    'SluiceRecordsUncertain',
    'sluice_ledger_uncertain_records{namespace="n",queue="execution-log",instance="a"}',
    { fault: '0x5 3x60', calm: '0x65' },
    { firesAt: '21m', calmUntil: '20m', labels: inQueue },
  ),
  gauge(
    'SluiceBooksDisagree',
    'sluice_ledger_unexplained_records{namespace="n",queue="execution-log",instance="a"}',
    { fault: '0x5 -3x60', calm: '0x65' },
    { firesAt: '36m', calmUntil: '35m', labels: inQueue },
  ),
  gauge(
    'SluiceTargetDown',
    'up{job="sluice-worker",instance="a:9465"}',
    { fault: '1 0x20', calm: '1x20' },
    { firesAt: '7m', calmUntil: '5m', labels: { job: 'sluice-worker', instance: 'a:9465' } },
  ),
  gauge(
    'SluiceDatabaseOutage',
    'sluice_database_outage{namespace="n",role="execution-log",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '5m', calmUntil: '4m', labels: inRole },
  ),
  gauge(
    'SluiceWorkerHalted',
    'sluice_worker_halted{namespace="n",role="execution-log",instance="a"}',
    { fault: '0 1x20', calm: '0x20' },
    { firesAt: '1m', labels: inRole },
  ),
  counter('SluiceLogLinesDropped', 'sluice_log_lines_dropped_total{namespace="n",job="shop",instance="a"}', inJob),

  gauge(
    'SluiceQueueBehind',
    'sluice_queue_oldest_job_seconds{namespace="n",role="execution-log",instance="a"}',
    { fault: '61x20', calm: '60x20' },
    { firesAt: '10m', calmUntil: '9m', labels: inRole },
  ),
  gauge(
    'SluiceQueueStalled',
    'sluice_queue_oldest_job_seconds{namespace="n",role="execution-log",instance="a"}',
    { fault: '901x20', calm: '900x20' },
    { firesAt: '5m', calmUntil: '4m', labels: inRole },
  ),
  {
    alert: 'SluiceQueueUnattended',
    fault: { [backlog]: '3x20', [completion]: '0x20', [paused]: '0x20' },
    calm: { [backlog]: '3x20', [completion]: '0.1x20', [paused]: '0x20' },
    firesAt: '11m',
    calmUntil: '9m',
    labels: { namespace: 'n', queue: 'execution-log' },
  },
  gauge(
    'SluiceQueuePaused',
    paused,
    { fault: '1x70', calm: '0x70' },
    { firesAt: '60m', calmUntil: '59m', labels: inQueue },
  ),
  gauge(
    'SluiceFailedJobs',
    'sluice_queue_jobs{namespace="n",role="execution-log",state="failed",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '6m', calmUntil: '4m', labels: { ...inRole, state: 'failed' } },
  ),
  counter('SluiceDeadLetters', 'sluice_records_total{namespace="n",queue="execution-log",outcome="dead"}', inQueue),
  gauge(
    'SluiceDeadLettersBlocked',
    'sluice_dead_letters_blocked{namespace="n",role="execution-log",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '5m', calmUntil: '4m', labels: inRole },
  ),
  counter('SluiceImplausibleTimes', 'sluice_records_implausible_total{namespace="n",queue="execution-log"}', inQueue),

  counter('SluiceRecordsDropped', 'sluice_producer_records_total{namespace="n",job="shop",outcome="dropped"}', inJob),
  counter('SluiceRecordsRefused', 'sluice_producer_records_total{namespace="n",job="shop",outcome="refused"}', inJob),
  counter('SluiceRequestsLost', 'sluice_request_records_total{namespace="n",job="shop",outcome="dropped"}', inJob),
  gauge(
    'SluiceSendersWaiting',
    'sluice_request_sends_waiting{namespace="n",job="shop",instance="a"}',
    { fault: '2x20', calm: '0x20' },
    { firesAt: '5m', calmUntil: '4m', labels: inJob },
  ),
  gauge(
    'SluiceSendsFailing',
    'sluice_producer_send_failures_total{namespace="n",job="shop",instance="a"}',
    { fault: '0+5x30', calm: steady },
    { firesAt: '12m', calmUntil: '9m', labels: inJob },
  ),
  counter('SluiceSpillRefused', 'sluice_spill_refusals_total{namespace="n",job="shop",queue="q",reason="full"}', {
    ...inJob,
    queue: 'q',
    reason: 'full',
  }),
  counter('SluiceSpillDamaged', 'sluice_spill_lost_bytes_total{namespace="n",job="shop",queue="q"}', {
    ...inJob,
    queue: 'q',
  }),
  counter('SluiceSeriesOverflow', 'sluice_producer_series_overflow_total{namespace="n",job="shop",metric="m"}', {
    ...inJob,
    metric: 'm',
  }),

  gauge(
    'SluiceGatewayRefusing',
    'sluice_gateway_refusals_total{namespace="n",code="buffer-full",instance="a"}',
    { fault: '0+5x30', calm: steady },
    { firesAt: '7m', calmUntil: '4m', labels: { ...inFleet, code: 'buffer-full' } },
  ),
  gauge(
    'SluiceGatewayRedisAway',
    'sluice_gateway_redis_away{namespace="n",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '2m', calmUntil: '1m', labels: { ...inFleet, instance: 'a' } },
  ),
  gauge(
    'SluiceGatewayFilesUnusable',
    'sluice_gateway_reload_failed{namespace="n",instance="a",files="tokens"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '5m', calmUntil: '4m', labels: { ...inFleet, instance: 'a', files: 'tokens' } },
  ),
  // The clock of promtool starts at 0: two weeks are 1,209,600 s.
  gauge(
    'SluiceGatewayCertificateExpires',
    'sluice_gateway_certificate_expiry_timestamp_seconds{namespace="n",instance="a"}',
    { fault: '1209600x20', calm: '1300000x20' },
    { firesAt: '7m', calmUntil: '4m', labels: { ...inFleet, instance: 'a' } },
  ),

  // The clock of promtool starts at 0, and so did the last success.
  gauge(
    'SluiceMaintenanceLate',
    'sluice_maintenance_last_success_timestamp_seconds{namespace="n",task="retention",instance="a"}',
    { fault: '0x200', calm: '0+60x200' },
    { firesAt: '181m', calmUntil: '180m', labels: { namespace: 'n', task: 'retention' } },
  ),
  counter(
    'SluiceMaintenanceFailing',
    'sluice_maintenance_runs_total{namespace="n",task="retention",outcome="failed"}',
    {
      namespace: 'n',
      task: 'retention',
    },
  ),
  gauge(
    'SluicePartitionsRunningOut',
    'sluice_partitions_ahead_days{namespace="n",instance="a"}',
    { fault: '7 1.9x20', calm: '2x20' },
    { firesAt: '1m', labels: inFleet },
  ),
  gauge(
    'SluicePartitionsBlocked',
    'sluice_partitions_blocked{namespace="n",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '15m', calmUntil: '14m', labels: inFleet },
  ),
  gauge(
    'SluicePartitionsOverdue',
    'sluice_partitions_overdue{namespace="n",instance="a"}',
    { fault: '1x25', calm: '0x25' },
    { firesAt: '24h', calmUntil: '23h', labels: inFleet, interval: '1h' },
  ),
  gauge(
    'SluiceDefaultPartitionRows',
    'sluice_partition_default_rows{namespace="n",instance="a"}',
    { fault: '1x150', calm: '0x150' },
    { firesAt: '2h', calmUntil: '1h', labels: inFleet },
  ),
  counter('SluiceRowsDeletedEarly', 'sluice_rows_deleted_early_total{namespace="n",table="t"}', {
    namespace: 'n',
    table: 't',
  }),

  gauge(
    'SluiceHealthLag',
    'sluice_health_lag_seconds{namespace="n",instance="a"}',
    { fault: '0 61x20', calm: '60x20' },
    { firesAt: '1m', labels: inFleet },
  ),
  counter('SluiceHealthGap', 'sluice_health_gap_entries_total{namespace="n",instance="a"}', inFleet),
  {
    alert: 'SluiceHealthReaders',
    fault: { 'sluice_health_lease_held{namespace="n",instance="a"}': '0x20' },
    calm: {
      'sluice_health_lease_held{namespace="n",instance="a"}': '1x20',
      'sluice_health_lease_held{namespace="n",instance="b"}': '0x20',
    },
    firesAt: '1m',
    labels: inFleet,
  },
  counter('SluiceHealthDeadLetters', 'sluice_health_events_total{namespace="n",event_type="none",result="malformed"}', {
    namespace: 'n',
    result: 'malformed',
  }),
  gauge(
    'SluiceHealthOutboxHigh',
    'sluice_health_outbox_rows{namespace="n",instance="a"}',
    { fault: '101x20', calm: '100x20' },
    { firesAt: '10m', calmUntil: '9m', labels: inFleet },
  ),
  gauge(
    'SluiceLobbyRefused',
    'sluice_health_lobby_refused{namespace="n",instance="a"}',
    { fault: '1x20', calm: '0x20' },
    { firesAt: '15m', calmUntil: '14m', labels: inFleet },
  ),
];
