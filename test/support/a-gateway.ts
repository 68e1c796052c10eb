import type { Job } from 'bullmq';
import { Registry } from 'prom-client';
import { inject, onTestFinished } from 'vitest';
import { createGateway, type GatewayDeps } from '../../gateway/create-gateway.ts';
import { gatewayGroups } from '../../gateway/gateway-groups.ts';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { createNamespace, openQueue } from './fixtures.ts';
import { recordsOf } from './records-of.ts';
import { redisEnvironment } from './redis-target.ts';

/** What is sent beside the body. */
export interface Sending {
  method?: 'POST' | 'PUT';
  token?: string;
  headers?: Record<string, string>;
}

/** What an answer was. */
export interface GatewayAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  body: any;
}

type Kind = 'executions' | 'requests';

/** Records as NDJSON. */
export const ndjson = (records: readonly unknown[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** An execution with no more than it must have. */
export const anInput = (overrides: object = {}) => ({
  strategyId: 'bonus',
  status: 'ok',
  durationMs: 3,
  ...overrides,
});

/** A request that has ended, with no more than it must have. */
export const aRequestInput = (overrides: object = {}) => ({
  createdBy: 'creator-1',
  model: 'gpt-5',
  endpoint: '/v1/responses',
  startedAt: '2026-05-01T10:00:00Z',
  statusCode: 200,
  ...overrides,
});

/** A gateway in this process, in a namespace of the test's own, and ways to send to it and to look into its queues. */
export async function aGateway(
  environment: Record<string, string> = {},
  settings: Pick<GatewayDeps, 'bodyIdleMs' | 'watchMs'> = {},
) {
  const namespace = createNamespace();
  const config = loadConfig(
    { ...redisEnvironment(inject('redisUrl')), SLUICE_NAMESPACE: namespace, SLUICE_GATEWAY_PORT: '0', ...environment },
    gatewayGroups,
  );
  const target = requireRedis(config.redis);
  const redis = createRedis(target, { role: 'consumer', name: 'test', logger: null });
  await redis.connect().catch(() => undefined);
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'info', name: 'test' },
    { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const registry = new Registry();
  const gateway = createGateway({ config, target, redis, logger, registry, ...settings });
  await gateway.start();
  const url = String(gateway.url);
  onTestFinished(async () => {
    await gateway.stop(0);
    redis.disconnect();
  });

  const send = async (path: string, body: unknown, sending: Sending = {}): Promise<GatewayAnswer> => {
    const isText = typeof body === 'string' || ArrayBuffer.isView(body);
    const answer = await fetch(`${url}${path}`, {
      method: sending.method ?? 'POST',
      headers: {
        'content-type': isText ? 'application/x-ndjson' : 'application/json',
        ...(sending.token === undefined ? {} : { authorization: `Bearer ${sending.token}` }),
        ...sending.headers,
      },
      body: isText ? (body as string) : JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const queues = {
    executions: openQueue(namespace),
    requests: openQueue(namespace, inject('redisUrl'), 'completed-request'),
  };
  const waitingJobs = (kind: Kind) => queues[kind].getJobs(['waiting'], 0, -1, true);
  const recordsIn = (jobs: readonly Job[]) => jobs.flatMap((job) => recordsOf<Record<string, unknown>>(job));
  /** all records that are in Redis */
  const stored = async (kind: Kind = 'executions') => recordsIn(await waitingJobs(kind));
  return {
    gateway,
    url,
    namespace,
    config,
    log,
    registry,
    send,
    metrics: () => registry.metrics(),
    stored,
    /** all records that are in Redis, and takes them out of it */
    async takeStored(kind: Kind): Promise<Record<string, unknown>[]> {
      const jobs = await waitingJobs(kind);
      // These only: others may have come since.
      await Promise.all(jobs.map((job) => job.remove()));
      return recordsIn(jobs);
    },
  };
}
