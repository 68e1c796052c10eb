// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose marks its variables with the same signs
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { checkCompose, checkDockerfile } from '../../ops/check-compose.ts';

const compose = read('docker-compose.yml');
const dockerfile = read('Dockerfile');

test('compose check: the files of this checkout hold all rules', () => {
  expect(checkCompose(compose)).toEqual([]);
  expect(checkDockerfile(dockerfile)).toEqual([]);
});

test('compose check: a key written twice is a problem, with its line', () => {
  expect(checkCompose(`${compose}\nservices: {}\n`)).toEqual([
    expect.stringMatching(/^Map keys must be unique at line \d+, column \d+$/),
  ]);
});

test('compose check: text that is no Compose file is a problem, not a crash', () => {
  expect(checkCompose('')).toHaveLength(1);
  expect(checkCompose('services: [a: b')).not.toEqual([]);
  expect(checkCompose('services: []')).toEqual([expect.stringMatching(/^services: /)]);
});

test('compose check: a form that could hide a value from the rules is a problem', () => {
  expectProblem(
    changed('services.worker.environment', ['REDIS_URL=redis://redis']),
    /^services\.worker\.environment: /,
  );
  expectProblem(changed('services.redis.command', 'redis-server --appendonly yes'), /^services\.redis\.command: /);
});

test('compose check: a missing worker or redis is a problem, as their rules would hold for nothing', () => {
  expect(checkCompose(changed('services.worker', undefined))).toEqual(['worker: the service does not exist']);
  expect(checkCompose('services: {}')).toEqual(
    ['redis', 'worker', 'maintenance', 'health-events'].map((name) => `${name}: the service does not exist`),
  );
});

test('compose check: a setting of a process that does not reach it is a problem', () => {
  for (const [service, name] of [
    ['maintenance', 'SLUICE_REQUEST_RETENTION_DAYS'],
    ['console', 'SLUICE_CONSOLE_REALM_TOKENS'],
    ['worker', 'SLUICE_METRICS_TOKEN'],
  ])
    expectProblem(
      changed(`services.${service}.environment.${name}`, undefined),
      `${service}: must pass on ${name}, which its process reads`,
    );
});

test('compose check: a service with neither image nor build is a problem', () => {
  expectProblem(changed('services.redis.image', undefined), 'redis: needs an image or a build');
});

test('compose check: a service that keeps running without a healthcheck is a problem', () => {
  for (const healthcheck of [undefined, { disable: true }, { test: ['NONE'] }]) {
    expectProblem(
      changed('services.worker.healthcheck', healthcheck),
      'worker: needs a healthcheck, or restart: "no" if it runs once and ends',
    );
  }
  expectProblem(
    changed('services.migrate.restart', 'always'),
    'migrate: needs a healthcheck, or restart: "no" if it runs once and ends',
    'worker: waits until migrate has ended, but it lacks restart: "no"',
    'maintenance: waits until migrate has ended, but it lacks restart: "no"',
    'health-events: waits until migrate has ended, but it lacks restart: "no"',
    'console: waits until migrate has ended, but it lacks restart: "no"',
  );
});

test('compose check: without a healthcheck, an unwritten restart is a problem too', () => {
  expectProblem(
    changed('services.migrate.restart', undefined),
    'migrate: needs a healthcheck, or restart: "no" if it runs once and ends',
    'worker: waits until migrate has ended, but it lacks restart: "no"',
    'maintenance: waits until migrate has ended, but it lacks restart: "no"',
    'health-events: waits until migrate has ended, but it lacks restart: "no"',
    'console: waits until migrate has ended, but it lacks restart: "no"',
  );
});

test('compose check: a healthcheck without a test counts only where the image is built here', () => {
  expectProblem(
    changed('services.redis.healthcheck', { interval: '5s' }),
    'redis: needs a healthcheck, or restart: "no" if it runs once and ends',
    'worker: waits until redis is healthy, but it has no healthcheck',
    'maintenance: waits until redis is healthy, but it has no healthcheck',
    'health-events: waits until redis is healthy, but it has no healthcheck',
    'console: waits until redis is healthy, but it has no healthcheck',
  );
});

test('compose check: a password written in the file is a problem', () => {
  const path = 'services.postgres.environment.POSTGRES_PASSWORD';
  for (const value of ['hunter2', '', null, 42, 'x${POSTGRES_PASSWORD:?set it}']) {
    expectProblem(changed(path, value), 'postgres: POSTGRES_PASSWORD must be ${NAME:?…}, not a literal value');
  }
});

test('compose check: a password that may be empty or has a default is a problem', () => {
  const path = 'services.worker.environment.SLUICE_METRICS_TOKEN';
  for (const value of [
    '${SLUICE_METRICS_TOKEN}',
    '${SLUICE_METRICS_TOKEN:-0123456789abcdef}',
    '${SLUICE_METRICS_TOKEN?set it}',
  ]) {
    expectProblem(changed(path, value), 'worker: SLUICE_METRICS_TOKEN must be ${NAME:?…}, not a literal value');
  }
});

test('compose check: a password in a command is a problem, whether beside its flag or joined to it', () => {
  const safe = ['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  for (const flags of [['--requirepass', 'hunter2'], ['--requirepass=hunter2'], ['--requirepass hunter2']]) {
    expectProblem(
      changed('services.redis.command', [...safe, ...flags]),
      'redis: --requirepass must be ${NAME:?…}, not a literal value',
    );
  }
});

test('compose check: a password in a URL is a problem', () => {
  for (const url of ['redis://:hunter2@redis:6379', 'redis://user:${REDIS_PASSWORD:-hunter2}@redis:6379']) {
    expectProblem(
      changed('services.worker.environment.REDIS_URL', url),
      'worker: the password in the URL of REDIS_URL must be ${NAME:?…}, not a literal value',
    );
  }
});

test('compose check: a password outside environment and command is a problem too', () => {
  expectProblem(
    changed('services.worker.build', { context: '.', args: { NPM_TOKEN: 'hunter2' } }),
    'worker: NPM_TOKEN must be ${NAME:?…}, not a literal value',
  );
});

test('compose check: a port that other machines can reach is a problem', () => {
  for (const port of [
    '5432:5432',
    '5432',
    '0.0.0.0:5432:5432',
    '${BIND:-127.0.0.1}:5432:5432',
    '127.0.0.10:5432:5432',
  ]) {
    expectProblem(
      changed('services.postgres.ports.0', port),
      `postgres: port ${JSON.stringify(port)} must be bound to 127.0.0.1`,
    );
  }
  expectProblem(
    changed('services.worker.ports.0', { target: 9465 }),
    /^worker: port .+ must be bound to 127\.0\.0\.1$/,
  );
});

test('compose check: the network of the host is a problem', () => {
  expectProblem(changed('services.worker.network_mode', 'host'), /^worker: must not share the network of the host/);
});

test('compose check: waiting for a service that does not exist is a problem', () => {
  expectProblem(
    changed('services.worker.depends_on.kafka', { condition: 'service_started' }),
    'worker: depends on kafka, which does not exist',
  );
});

test('compose check: waiting for the health of a service without a healthcheck is a problem', () => {
  expectProblem(
    changed('services.worker.depends_on.migrate.condition', 'service_healthy'),
    'worker: waits until migrate is healthy, but it has no healthcheck',
  );
});

test('compose check: waiting for the end of a service that is no one-shot is a problem', () => {
  expectProblem(
    changed('services.worker.depends_on.redis.condition', 'service_completed_successfully'),
    'worker: waits until redis has ended, but it lacks restart: "no"',
  );
});

test('compose check: a worker with a container_name is a problem', () => {
  expectProblem(changed('services.worker.container_name', 'worker'), /^worker: must not have a container_name/);
});

test('compose check: a worker with a fixed host port is a problem, in the short form and in the long one', () => {
  for (const port of ['127.0.0.1:9465:9465', { target: 9465, published: 9465, host_ip: '127.0.0.1' }]) {
    expectProblem(changed('services.worker.ports.0', port), /^worker: port .+ must not fix the host port/);
  }
});

test('compose check: a redis that forgets or evicts jobs is a problem', () => {
  const flags = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  const [noAppend, noPolicy] = [
    /^redis: the command must contain --appendonly yes/,
    /^redis: the command must contain --maxmemory-policy/,
  ];
  expectProblem(changed('services.redis.command', ['redis-server', ...flags.slice(2)]), noAppend);
  expectProblem(changed('services.redis.command', ['redis-server', ...flags, '--appendonly', 'no']), noAppend);
  expectProblem(changed('services.redis.command', ['redis-server', ...flags.slice(0, 3), 'allkeys-lru']), noPolicy);
  expectProblem(changed('services.redis.command', undefined), noAppend, noPolicy);
});

test('compose check: a worker that is killed before its drain ends is a problem', () => {
  for (const period of ['25s', '10s', '1500ms', 'soon', undefined]) {
    expectProblem(changed('services.worker.stop_grace_period', period), /^worker: stop_grace_period .+ must be longer/);
  }
  expectProblem(changed('services.worker.environment.SLUICE_SHUTDOWN_TIMEOUT_MS', 30_000), /\(30s\) .+ \(30000 ms\)$/);
  expect(checkCompose(changed('services.worker.stop_grace_period', '1m0s'))).toEqual([]);
});

test('compose check: without a shutdown timeout in the file the default, 25 s, counts', () => {
  const path = 'services.worker.environment.SLUICE_SHUTDOWN_TIMEOUT_MS';
  expect(checkCompose(changed(path, undefined))).toEqual([]);
  expectProblem(changed('services.worker.stop_grace_period', '25s', changed(path, undefined)), /\(25000 ms\)$/);
});

test('dockerfile check: an image that runs as root is a problem', () => {
  const problem = ['Dockerfile: the last USER of the last stage must not be root'];
  for (const user of ['', 'USER root', 'USER 0', 'user 0:0', 'USER root:node', 'USER node\nUSER root']) {
    expect(checkDockerfile(dockerfile.replace(/^USER node$/m, user))).toEqual(problem);
  }
  expect(
    checkDockerfile(dockerfile.replace(/^USER node$/m, '').replace(/^FROM base AS client$/m, '$&\nUSER node')),
  ).toEqual(problem);
});

test('dockerfile check: an entrypoint in shell form is a problem', () => {
  for (const entrypoint of ['', 'ENTRYPOINT node cli/main.ts', "ENTRYPOINT ['node', 'cli/main.ts']", 'ENTRYPOINT []']) {
    expect(checkDockerfile(dockerfile.replace(/^ENTRYPOINT .*$/m, entrypoint))).toEqual([
      expect.stringMatching(/^Dockerfile: ENTRYPOINT must be in exec form/),
    ]);
  }
});

test('dockerfile check: an image without a healthcheck to inherit is a problem', () => {
  for (const healthcheck of ['', 'HEALTHCHECK NONE', 'HEALTHCHECK CMD curl -f localhost']) {
    expect(checkDockerfile(dockerfile.replace(/^HEALTHCHECK .*\n.*$/m, healthcheck))).toEqual([
      expect.stringMatching(/^Dockerfile: the last stage needs a HEALTHCHECK/),
    ]);
  }
});

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

/** The Compose file with one value changed; `undefined` takes it out. */
function changed(path: string, value: unknown, text = compose): string {
  const document = parseDocument(text, { merge: true });
  if (value === undefined) document.deleteIn(path.split('.'));
  else document.setIn(path.split('.'), document.createNode(value));
  return String(document);
}

/** Exactly these problems: a rule that also complains about something else would hide that it catches nothing. */
function expectProblem(text: string, ...problems: (string | RegExp)[]): void {
  expect(checkCompose(text)).toEqual(
    problems.map((problem) => (typeof problem === 'string' ? problem : expect.stringMatching(problem))),
  );
}
