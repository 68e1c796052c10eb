import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { executionObserverOptionsFrom } from '../../../../producers/executions/create-execution-observer.ts';
import { completedRequestSenderOptionsFrom } from '../../../../producers/requests/create-completed-request-sender.ts';
import { loadConfig, variableNames } from '../../../../shared/platform/config/config.ts';
import {
  environmentWarnings,
  passedOverVariables,
  unknownVariables,
} from '../../../../shared/platform/config/foreign-variables.ts';

test('unknown: names that look like ours and are not are found', () => {
  const environment = {
    SLUICE_WORKER_PROT: '1',
    DSL_EXECUTION_LOG_SAMPLERATE: '1',
    SLUICE_: '',
    SLUICE_WORKERS: '2',
    DSL_EXECUTION_LOG_ENABLED: '1',
    DSL_EXECUTION_TIMEOUT_MS: '500',
    MY_SLUICE_WORKERS: '1',
    DATABASE_URI: 'x',
    SLUICE_CONSOL_PORT: '9464',
  };
  expect(unknownVariables(environment)).toEqual([
    'SLUICE_WORKER_PROT',
    'DSL_EXECUTION_LOG_SAMPLERATE',
    'SLUICE_',
    'SLUICE_CONSOL_PORT',
  ]);
});

test('unknown: no variable of ours is', () => {
  expect(unknownVariables(Object.fromEntries(variableNames.map((name) => [name, ''])))).toEqual([]);
});

test('unknown: no variable of docker-compose.yml is, as .env may have it', () => {
  const compose = readFileSync(new URL('../../../../docker-compose.yml', import.meta.url), 'utf8');
  const names = [...compose.matchAll(/\$\{(SLUICE_\w+)/g)].map(([, name = '']) => name);
  expect(names).toContain('SLUICE_POSTGRES_PORT');
  expect(unknownVariables(Object.fromEntries(names.map((name) => [name, ''])))).toEqual([]);
});

/** What the kubelet sets for a Service: with and without a named port, for each protocol. */
function serviceLinks(service: string, address: string, port: number): Record<string, string> {
  const name = service.toUpperCase().replaceAll('-', '_');
  const links: Record<string, string> = {
    [`${name}_SERVICE_HOST`]: address,
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_METRICS`]: String(port),
    [`${name}_PORT`]: `tcp://${address}:${port}`,
  };
  for (const protocol of ['tcp', 'udp', 'sctp']) {
    const base = `${name}_PORT_${port}_${protocol.toUpperCase()}`;
    Object.assign(links, {
      [base]: `${protocol}://${address}:${port}`,
      [`${base}_PROTO`]: protocol,
      [`${base}_PORT`]: String(port),
      [`${base}_ADDR`]: address,
    });
  }
  return links;
}

const services = [
  'sluice',
  'sluice-worker',
  'sluice-console',
  'sluice-producer',
  'sluice-health',
  'dsl-execution-log',
  'redis',
  'database',
];

describe.each(['10.0.0.1', '[fd00::1]'])('Kubernetes: Services at %s', (address) => {
  const environment = Object.assign({}, ...services.map((service) => serviceLinks(service, address, 9_465)));

  test('change no setting of any process', () => {
    expect(loadConfig(environment)).toEqual(loadConfig({}));
  });

  test('are not taken for slips of the pen, and a setting that is passed over is told', () => {
    expect(unknownVariables(environment)).toEqual([]);
    expect(passedOverVariables(environment)).toEqual(['SLUICE_WORKER_PORT', 'SLUICE_CONSOLE_PORT']);
    expect(environmentWarnings(environment)).toEqual([
      expect.stringMatching(/^SLUICE_WORKER_PORT holds the address of a Kubernetes Service and is ignored/),
      expect.stringMatching(/^SLUICE_CONSOLE_PORT holds the address of a Kubernetes Service and is ignored/),
    ]);
  });

  test('leave a setting that somebody has made alone', () => {
    expect(loadConfig({ ...environment, SLUICE_WORKER_PORT: '9000' }).worker.port).toBe(9_000);
  });
});

test.each(['tcp://10.0.0.1', 'tcp:9465', 'http://10.0.0.1:80', 'x'])(
  'Kubernetes: %j is no address of a Service, and refused',
  (value) => {
    expect(() => loadConfig({ SLUICE_WORKER_PORT: value })).toThrow('SLUICE_WORKER_PORT is ');
  },
);

const host = {
  DATABASE_URL: 'mysql://root:s3cret@db/shop',
  SLUICE_WORKER_PORT: 'no port',
  SLUICE_CONSOLE_HOST: '0.0.0.0',
  SLUICE_CONSOLE_OPERATOR_TOKEN: 'short',
  SLUICE_LOG_LEVEL: 'LOUD',
  SLUICE_RETENTION_DAYS: 'a while',
  SLUICE_BATCH_MAX_IN_FLIGHT: '64',
  HEALTH_EVENTS_MODE: 'maybe',
  REDIS_URL: 'redis://h:6379',
};

test('producers: an observer reads its own variables only', () => {
  const { redisUrl, producer } = executionObserverOptionsFrom({
    ...host,
    SLUICE_API_KEY_PEPPER: 'short',
    DSL_EXECUTION_LOG_SAMPLE_RATE: '0.5',
  });
  expect({ redisUrl, sampleRate: producer?.sampleRate }).toEqual({ redisUrl: 'redis://h:6379', sampleRate: 0.5 });
  expect(() =>
    executionObserverOptionsFrom({ ...host, SLUICE_CHUNK_MAX_RECORDS: '0', DSL_EXECUTION_LOG_SAMPLE_RATE: '2' }),
  ).toThrow(
    /^the configuration has 2 problems:\n {2}DSL_EXECUTION_LOG_SAMPLE_RATE is "2".*\n {2}SLUICE_CHUNK_MAX_RECORDS is "0"/,
  );
});

test('producers: a sender of requests reads its own variables only', () => {
  const { redisUrl, producer } = completedRequestSenderOptionsFrom({
    ...host,
    DSL_EXECUTION_LOG_SAMPLE_RATE: '5 %',
    SLUICE_CHUNK_MAX_RECORDS: '7',
  });
  expect({ redisUrl, maxRecords: producer?.chunk?.maxRecords }).toEqual({ redisUrl: 'redis://h:6379', maxRecords: 7 });
  expect(() => completedRequestSenderOptionsFrom({ ...host, SLUICE_API_KEY_PEPPER: 'short' })).toThrow(
    /^the configuration has 1 problem:\n {2}SLUICE_API_KEY_PEPPER has an invalid value \(not shown\)/,
  );
});
