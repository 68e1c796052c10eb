import { Registry } from 'prom-client';
import { inject, onTestFinished } from 'vitest';
import { createConsole } from '../../console/server/create-console.ts';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { asRole, connect, createNamespace, createTestDatabase } from './fixtures.ts';
import { createHealthKeys } from './health.ts';
import { redisEnvironment } from './redis-target.ts';

export const readToken = 'a-token-to-read-with';
export const operatorToken = 'a-token-to-operate-with';
export const acmeToken = 'a-token-of-the-realm-acme';
export const metricsToken = 'a-token-of-a-scraper';

/** An environment with every kind of token. */
export const allTokens = {
  SLUICE_CONSOLE_READ_TOKEN: readToken,
  SLUICE_CONSOLE_OPERATOR_TOKEN: operatorToken,
  SLUICE_CONSOLE_REALM_TOKENS: JSON.stringify({ acme: acmeToken }),
  SLUICE_METRICS_TOKEN: metricsToken,
};

/** What an answer was. */
export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  body: any;
}

/** A console on a database and in a namespace of the test's own, without a port. */
export async function aConsole(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const keys = createHealthKeys();
  const config = loadConfig({
    DATABASE_URL: asRole(databaseUrl, 'console'),
    ...redisEnvironment(inject('redisUrl')),
    SLUICE_NAMESPACE: namespace,
    ...keys.environment,
    ...environment,
  });
  const database = createDatabase(config.database, 'test');
  const redis = createRedis(requireRedis(config.redis), { role: 'consumer', name: 'test', logger: null });
  // A test of an outage names a server that is not there.
  await redis.connect().catch(() => undefined);
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'info', name: 'test' },
    { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const { app, start } = await createConsole({ config, database, redis, logger, registry: new Registry() });
  onTestFinished(async () => {
    await app.close();
    redis.disconnect();
    await database.$disconnect();
  });

  const ask = async (
    method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH',
    url: string,
    options: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const { token = null, body, headers } = options;
    const answer = await app.inject({
      method,
      url,
      headers: {
        host: '127.0.0.1:9464',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const type = String(answer.headers['content-type'] ?? '');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: type.includes('json') && answer.body !== '' ? JSON.parse(answer.body) : null,
    };
  };
  return {
    app,
    start,
    ask,
    get: (url: string, token: string | null = null) => ask('GET', url, { token }),
    config,
    database,
    databaseUrl,
    namespace,
    redis,
    keys,
    log,
    client: await connect(databaseUrl),
  };
}

export type TestConsole = Awaited<ReturnType<typeof aConsole>>;
