/** How somebody sees the queues. */
export interface BoardAccess {
  /** may pause, resume, retry and the like; else everything is only looked at */
  mayChange: boolean;
  /** sees inputs, bodies and ids of users */
  reveals: boolean;
}

/**
 * What may be done to queues from the board. The list is of what is allowed: jobs carry records, so whatever removes or
 * rewrites jobs loses them. What is to be thrown away goes through the dead letters.
 */
const changes = [
  /^\/api\/queues\/(pause|resume)$/,
  /^\/api\/queues\/[^/]+\/(pause|resume|promote|concurrency|rate-limit|rate-limit\/release)$/,
  /^\/api\/queues\/[^/]+\/retry\/failed$/,
  /^\/api\/queues\/[^/]+\/[^/]+\/(retry|promote)$/,
];

/** It tells the data of jobs past the formatter. */
const rawData = /^\/api\/queues\/[^/]+\/[^/]+\/flow$/;

/**
 * Whether a request to the board may pass.
 *
 * @param path below the board's own, without the query
 */
export function mayPass(method: string, path: string, { mayChange, reveals }: BoardAccess): boolean {
  if (method === 'GET' || method === 'HEAD') return reveals || !rawData.test(path);
  return mayChange && changes.some((allowed) => allowed.test(path));
}
