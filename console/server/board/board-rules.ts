/** How somebody sees the queues. */
export interface BoardAccess {
  /** may pause, resume, retry and the like; else everything is only looked at */
  mayChange: boolean;
  /** sees inputs, bodies and ids of users */
  reveals: boolean;
}

/** What is asked of the board. */
interface BoardRequest {
  method: string;
  /** the route that was found, below the board's own address: a path may be written in many ways, and means one route */
  route: string;
  params: Readonly<Record<string, string>>;
}

const ofQueue = '/api/queues/:queueName';

/**
 * What may be done to queues from the board. The list is of what is allowed: jobs carry records, so whatever removes or
 * rewrites jobs loses them. What is to be thrown away goes through the dead letters.
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

/** It tells the data of jobs past the formatter. */
const rawData = `${ofQueue}/:jobId/flow`;

/** Whether a request to the board may pass. */
export function mayPass({ method, route, params }: BoardRequest, { mayChange, reveals }: BoardAccess): boolean {
  if (method === 'GET' || method === 'HEAD') return reveals || route !== rawData;
  return mayChange && (changes.has(route) || (route === retryAll && params['queueStatus'] === 'failed'));
}
