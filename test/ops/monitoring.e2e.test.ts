import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { freePort } from '../../dev/servers/free-port.ts';
import { rows } from '../../ops/grafana/panels.ts';
import {
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  executionObserverOptionsFrom,
} from '../../producers/index.ts';
import { metricsToken, readToken } from '../support/a-console.ts';
import { anInput } from '../support/a-gateway.ts';
import { makeCertificates } from '../support/certificates.ts';
import { anExecution } from '../support/execution.ts';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../support/fixtures.ts';
import { startSluice } from '../support/fleet.ts';
import { startGatewayCommand } from '../support/gateway-command.ts';
import { addEvent, connectRedis, createHealthKeys, insertRuntimeRecord } from '../support/health.ts';
import { type PrometheusServer, rulesFile, startPrometheus } from '../support/prometheus.ts';
import { aRequest } from '../support/request.ts';

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
}

const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const panelExpressions = rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));

/** What KEDA asks. In the test there is no namespace of Kubernetes. */
const kedaFile = new URL('../../ops/kubernetes/components/keda-prometheus/scaled-object.yaml', import.meta.url);
const scaledObject = parseDocument(readFileSync(kedaFile, 'utf8')).toJS() as {
  spec: { triggers: { metadata: { query?: string } }[] };
};
const kedaExpressions = scaledObject.spec.triggers.flatMap(
  ({ metadata }) => metadata.query?.replace('{namespace="sluice"}', '') ?? [],
);

/** What Grafana puts in place of its variables. */
function asGrafanaAsks(expr: string): string {
  return expr.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '1m');
}

/** An alert without its fault: each comparison gives 0 or 1 instead of leaving out what does not fit. */
function withoutFault(expr: string): string {
  return expr.replaceAll(/ (==|!=|>|<) /g, ' $1 bool ');
}

const expressions = [
  ...rules.map(({ alert, expr }) => (alert === undefined ? expr : withoutFault(expr))),
  ...panelExpressions.map(asGrafanaAsks),
  ...kedaExpressions,
];

test('monitoring: in a running fleet, every expression of rules, panels and KEDA has a value, and every metric a panel', async () => {
  const fleet = await aFleet();
  const prometheus = await startPrometheus(fleet.jobs);
  await untilScraped(prometheus);
  await fleet.cause();

  const empty = new Set(expressions);
  await until(async () => {
    for (const query of empty) {
      const { result } = await prometheus.api('query', { query });
      if (result.length > 0) empty.delete(query);
    }
    return empty.size === 0;
  }).catch((error: Error) => {
    throw new Error(`without a value: ${Array.from(empty).join('\n')}`, { cause: error.cause });
  });

  const { groups: loaded } = await prometheus.api('rules');
  const failing = loaded.flatMap((group: { rules: { name: string; lastError?: string }[] }) =>
    group.rules.filter(({ lastError }) => lastError),
  );
  expect(failing).toEqual([]);

  const names: string[] = await prometheus.api('label/__name__/values');
  const served = new Set(
    names.filter((name) => /^(sluice|dsl)_/.test(name)).map((name) => name.replace(/_(bucket|sum|count)$/, '')),
  );
  expect(served.size).toBeGreaterThan(60);
  const recordings = rules.filter(({ record }) => record !== undefined).map(({ expr }) => expr);
  const shown = [...panelExpressions, ...recordings].join('\n');
  expect(Array.from(served).filter((name) => !new RegExp(`\\b${name}(_bucket|_count)?\\b`).test(shown))).toEqual([]);
}, 180_000);

async function untilScraped(prometheus: PrometheusServer): Promise<void> {
  await until(async () => {
    const { activeTargets } = await prometheus.api('targets');
    return activeTargets.every(({ health }: { health: string }) => health === 'up');
  });
}

/** Every kind of process, a service with the SDK among them, and the faults that some series need. */
async function aFleet() {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const redis = connectRedis();
  const keys = createHealthKeys();
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
    SLUICE_METRICS_TOKEN: metricsToken,
    SLUICE_WORKER_PORT: '0',
    ...keys.environment,
  };
  await insertRuntimeRecord(client);
  const workers = await Promise.all(
    [['execution-log', 'completed-request'], ['health-events'], ['maintenance']].map((roles) =>
      startWorker(roles, environment),
    ),
  );
  const consolePort = await freePort();
  await startSluice(['console'], {
    ...environment,
    SLUICE_CONSOLE_PORT: String(consolePort),
    SLUICE_CONSOLE_READ_TOKEN: readToken,
  });
  const console = `127.0.0.1:${consolePort}`;
  const service = await aService(environment);
  const { DATABASE_URL: _database, ...ofGateway } = environment;
  const gateway = await startGatewayCommand(ofGateway);
  const certificate = await makeCertificates(await createDirectory());
  const withTls = await startGatewayCommand({
    ...ofGateway,
    SLUICE_GATEWAY_TLS_CERT_FILE: certificate('server.pem'),
    SLUICE_GATEWAY_TLS_KEY_FILE: certificate('server.key'),
  });
  const post = (type: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/executions`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify(anInput()),
    });

  return {
    jobs: [
      toJob('sluice-workers', workers, metricsToken),
      toJob('sluice-console', [console], metricsToken),
      toJob('shop', [service.address], null),
      toJob('sluice-gateway', [new URL(gateway.url).host], metricsToken),
      {
        ...toJob('sluice-gateway-tls', [new URL(withTls.url).host], metricsToken),
        ...{ scheme: 'https', tls_config: { insecure_skip_verify: true } },
      },
    ],
    async cause(): Promise<void> {
      await until(async () => (await fetch(`http://${console}/readyz`)).ok);
      await fetch(`http://${console}/api/v1/queues`, { headers: { authorization: `Bearer ${readToken}` } });
      await service.work();
      expect((await post('application/json')).status).toBe(202);
      expect((await post('text/plain')).status).toBe(415);
      await addEvent(redis, keys.stream, { event_type: 'container_exited' });
      // Both are in the middle of a statement when their connection is cut.
      await cutOff('strategy_execution_log', () => service.work());
      await cutOff('runtime_record', () => addEvent(redis, keys.stream, { event_type: 'probe_recovered' }));
    },
  };

  async function cutOff(table: string, cause: () => Promise<unknown>): Promise<void> {
    const holder = await connect(databaseUrl);
    await holder.query(`begin; lock table ${table} in access exclusive mode`);
    await cause();
    await until(async () => {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query ilike '%${table}%'`,
      );
      return rowCount !== null && rowCount > 0;
    });
    await holder.query('rollback');
  }
}

async function startWorker(roles: string[], environment: Record<string, string>): Promise<string> {
  const worker = await startSluice(['worker', ...roles], environment);
  const up = await until(() => worker.stdout.find((line) => line.includes('worker is up')));
  return new URL((JSON.parse(up) as { url: string }).url).host;
}

function toJob(name: string, targets: string[], token: string | null): object {
  return {
    job_name: name,
    ...(token === null ? {} : { authorization: { credentials: token } }),
    static_configs: [{ targets }],
  };
}

/** A service that exposes the registry of its SDK, as the README tells its readers to. */
async function aService(environment: Record<string, string>) {
  const registry = new Registry();
  const logger = { warn: () => undefined };
  const keepAll = { ...environment, DSL_EXECUTION_LOG_SAMPLE_RATE: '1' };
  const withSpill = { ...keepAll, SLUICE_SPILL_DIR: await createDirectory() };
  const observer = createExecutionObserver({ ...executionObserverOptionsFrom(withSpill), registry, logger });
  const sender = createCompletedRequestSender({ ...completedRequestSenderOptionsFrom(withSpill), registry, logger });
  // One that finds no Redis and has no room.
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  const noRoom = { ...keepAll, REDIS_URL, DSL_EXECUTION_LOG_QUEUE_MAXSIZE: '1', SLUICE_QUEUE_SHARDS: '2' };
  const dropping = createExecutionObserver({ ...executionObserverOptionsFrom(noRoom), registry, logger });
  const server = createServer(async (_request, response) => {
    response.setHeader('content-type', registry.contentType);
    response.end(await registry.metrics());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await Promise.all([observer, sender, dropping].map((one) => one.close({ timeoutMs: 0 })));
    server.closeAllConnections();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async work(): Promise<void> {
      for (const one of [observer, dropping]) {
        one.record(anExecution({ status: 'ok' }));
        one.record(anExecution({ status: 'error', errorCode: 'E_TEST' }));
      }
      await sender.send(aRequest());
    },
  };
}
