/** What a caller may see and do on the board. */
export interface BoardAccess {
  /** may pause, resume, retry and so on; otherwise the board is read-only */
  mayChange: boolean;
  /** sees inputs, bodies and users' ids */
  reveals: boolean;
}

/** A request to the board. */
interface BoardRequest {
  method: string;
  /** the matched route, below the board's own address: a path may be written in many ways that mean one route */
  route: string;
  params: Readonly<Record<string, string>>;
}

const ofQueue = '/api/queues/:queueName';

/**
 * What the board may do to queues. This is an allow list: jobs carry records, so removing or rewriting a job loses them.
 * To discard records, use the dead letters.
 */
const changes = new Set([
  '/api/queues/pause',
  '/api/queues/resume',
  ...['pause', 'resume', 'promote', 'concurrency', 'rate-limit', 'rate-limit/release'].map(
    (end) => `${ofQueue}/${end}`,
  ),
  `${ofQueue}/:jobId/retry`,
  `${ofQueue}/:jobId/promote`,
]);
const retryAll = `${ofQueue}/retry/:queueStatus`;

/** It returns the data of jobs without the formatter. */
const rawData = `${ofQueue}/:jobId/flow`;

/** Whether a request to the board is allowed. */
export function mayPass({ method, route, params }: BoardRequest, { mayChange, reveals }: BoardAccess): boolean {
  if (method === 'GET' || method === 'HEAD') return reveals || route !== rawData;
  return mayChange && (changes.has(route) || (route === retryAll && params['queueStatus'] === 'failed'));
}
