/**
 * `npm run check:compose`: holds docker-compose.yml and the Dockerfile to the rules whose breach shows late, as lost jobs
 * or an open port, and not at start. There is no need for Docker: the files are only read.
 */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { consoleGroups } from '../console/server/console-groups.ts';
import { type ConfigGroup, variablesOf } from '../shared/platform/config/config.ts';
import { redisVariables } from '../shared/platform/redis/redis-target.ts';
import { commonGroups, ownGroups } from '../workers/runtime/role.ts';

/** Stands for an interpolation that refuses to start without a value. A file cannot contain it: YAML has no NUL. */
const supplied = '\0';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Of the forms that Compose takes, only the one that leaves nothing to guess: maps instead of lines, lists instead of shell text. */
const serviceSchema = z.looseObject({
  image: z.string().optional(),
  build: z.union([z.string(), z.looseObject({})]).optional(),
  command: z.array(scalar).default([]),
  container_name: z.string().optional(),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).default({}),
  environment: z.record(z.string(), scalar.nullable()).default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().default(false) }).optional(),
  network_mode: z.string().optional(),
  ports: z
    .array(z.union([scalar, z.looseObject({ host_ip: z.string().default(''), published: scalar.default('') })]))
    .default([]),
  restart: z.string().optional(),
  stop_grace_period: z.string().default('10s'),
});
const composeSchema = z.looseObject({ services: z.record(z.string(), serviceSchema) });

type Service = z.output<typeof serviceSchema>;
type Services = Readonly<Record<string, Service>>;
type Rule = (service: Service, services: Services) => Iterable<string>;

const rulesForAll: readonly Rule[] = [
  hasSource,
  passesSettings,
  isWatched,
  namesNoSecret,
  staysOnLoopback,
  waitsForWhatComes,
];
const rulesForOne: Readonly<Record<string, readonly Rule[]>> = {
  redis: [keepsJobs],
  worker: [canBeScaled, hasTimeToDrain],
  maintenance: [canBeScaled, hasTimeToDrain],
  'health-events': [canBeScaled, hasTimeToDrain],
};

/**
 * Checks the text of a Compose file.
 *
 * @returns one sentence a problem, each with the service it is about; empty when all rules hold
 */
export function checkCompose(text: string): string[] {
  const { services, problems } = readCompose(text);
  const missing = Object.keys(rulesForOne).filter((name) => !(name in services));
  return [
    ...problems,
    ...(problems.length > 0 ? [] : missing.map((name) => `${name}: there is no such service`)),
    ...Object.entries(services).flatMap(([name, service]) =>
      [...rulesForAll, ...(rulesForOne[name] ?? [])].flatMap((rule) =>
        Array.from(rule(service, services), (problem) => `${name}: ${problem}`),
      ),
    ),
  ];
}

/**
 * Checks the text of the Dockerfile. Only its last stage counts: that is the image.
 *
 * @returns one sentence a problem; empty when all rules hold
 */
export function checkDockerfile(text: string): string[] {
  const image = lastStage(text);
  const user = image.get('USER') ?? 'root';
  const problems: string[] = [];
  if (/^(root|0)(:|$)/.test(user)) problems.push('the last USER of the last stage must not be root');
  if (!isExecForm(image.get('ENTRYPOINT'))) {
    problems.push('ENTRYPOINT must be in exec form (a JSON list): a shell would keep SIGTERM from the process');
  }
  if (!isExecForm(image.get('HEALTHCHECK')?.replace(/^.*?\bCMD\b/, ''))) {
    problems.push('the last stage needs a HEALTHCHECK with a CMD in exec form: services that are built inherit it');
  }
  return problems.map((problem) => `Dockerfile: ${problem}`);
}

function readCompose(text: string): { services: Services; problems: string[] } {
  const document = parseDocument(text, { strict: true, uniqueKeys: true, merge: true });
  const flaws = [...document.errors, ...document.warnings];
  if (flaws.length > 0) {
    // Below its first line a message shows the place in the file, which could be a line with a secret.
    return { services: {}, problems: flaws.map(({ message }) => message.split(':\n')[0] ?? message) };
  }
  const parsed = composeSchema.safeParse(document.toJS());
  if (parsed.success) return { services: parsed.data.services, problems: [] };
  return { services: {}, problems: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

function* hasSource({ image, build }: Service): Iterable<string> {
  if (image === undefined && build === undefined) yield 'needs an image or a build';
}

/** Not for `.env`: the port inside the container is the image's, and the time to drain goes with the grace period in the file. */
const fixed = [
  'SLUICE_WORKER_PORT',
  'SLUICE_CONSOLE_PORT',
  'SLUICE_SHUTDOWN_TIMEOUT_MS',
  // The Redis of the file is its own, by REDIS_URL; whoever has another one says so in a file of overrides: docs/redis.md.
  ...Object.values<string>(redisVariables).filter((name) => name !== 'REDIS_URL'),
];

/** A setting that an operator makes in `.env` must reach the process that reads it. Without a value it is passed on as it is. */
function* passesSettings({ build, command, environment }: Service): Iterable<string> {
  if (build === undefined) return;
  for (const name of variablesOf(groupsOf(command)))
    if (!(name in environment) && !fixed.includes(name)) yield `must pass ${name} on, which its process reads`;
}

/** What a command of ours reads of the configuration. */
function groupsOf([name, ...roles]: readonly string[]): readonly ConfigGroup[] {
  if (name === 'console') return consoleGroups;
  if (name === 'migrate') return ['database', 'migrator'];
  const own: Readonly<Record<string, readonly ConfigGroup[]>> = ownGroups;
  return name === 'worker' ? [...commonGroups, ...roles.flatMap((role) => own[role] ?? [])] : [];
}

function* isWatched(service: Service): Iterable<string> {
  if (!hasHealthcheck(service) && service.restart !== 'no') {
    yield 'needs a healthcheck, or restart: "no" when it runs once and ends';
  }
}

/** A check without a test of its own is the image's, and only of our image is it known that there is one. */
function hasHealthcheck({ build, healthcheck }: Service): boolean {
  if (healthcheck === undefined || healthcheck.disable) return false;
  return healthcheck.test === undefined ? build !== undefined : healthcheck.test[0] !== 'NONE';
}

function* namesNoSecret(service: Service): Iterable<string> {
  for (const line of linesOf(service)) {
    const text = line.replaceAll(/\$\{\w+:\?[^}]*\}/g, supplied);
    const words = text.split(/[\s=]+/);
    for (const [at, name] of words.entries()) {
      const value = words[at + 1];
      if (value === undefined || value === supplied || !isSecretName(name)) continue;
      yield `${name} must be \${NAME:?…}, not written here`;
    }
    for (const [, password] of text.matchAll(/\/\/[^\s:/@]*:([^\s@]+)@/g)) {
      if (password === supplied) continue;
      yield `the password in the URL of ${words[0]} must be \${NAME:?…}, not written here`;
    }
  }
}

/** Names of variables and flags. One that ends in `_FILE` is none: it holds a path. */
function isSecretName(name: string): boolean {
  return /(pass|password|passwd|secret|token|auth|[_-]key|credentials?)$/i.test(name);
}

/** Every scalar with its key, and every list of scalars in one piece, as a flag and its value are two entries. */
function* linesOf(value: unknown): Iterable<string> {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object')) yield value.join(' ');
  else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      if (typeof entry === 'object' && entry !== null) yield* linesOf(entry);
      else yield `${key}=${entry ?? ''}`;
    }
  }
}

function* staysOnLoopback({ network_mode, ports }: Service): Iterable<string> {
  if (network_mode === 'host') yield 'must not share the network of the host: every port would be open there';
  for (const port of ports) {
    if (toBinding(port).ip !== '127.0.0.1') yield `port ${JSON.stringify(port)} must be bound to 127.0.0.1`;
  }
}

/** The host's side of a port: `ip:host:container`, or the long form. An empty port is one that Docker picks. */
function toBinding(port: Service['ports'][number]): { ip: string; hostPort: string } {
  if (typeof port !== 'string') return { ip: port.host_ip, hostPort: port.published };
  const [, hostPort = '', ip = ''] = port
    .replaceAll(/\$\{[^}]*\}/g, '$')
    .split(':')
    .toReversed();
  return { ip, hostPort };
}

function* waitsForWhatComes({ depends_on }: Service, services: Services): Iterable<string> {
  for (const [name, { condition }] of Object.entries(depends_on)) {
    const target = services[name];
    if (target === undefined) yield `depends on ${name}, which does not exist`;
    else if (condition === 'service_healthy' && !hasHealthcheck(target)) {
      yield `waits until ${name} is healthy, which has no healthcheck`;
    } else if (condition === 'service_completed_successfully' && target.restart !== 'no') {
      yield `waits until ${name} has ended, which lacks restart: "no"`;
    }
  }
}

function* keepsJobs({ command }: Service): Iterable<string> {
  for (const [flag, value] of [
    ['--appendonly', 'yes'],
    ['--maxmemory-policy', 'noeviction'],
  ] as const) {
    const at = command.lastIndexOf(flag);
    if (at < 0 || command[at + 1] !== value) yield `the command must say ${flag} ${value}, else jobs get lost`;
  }
}

function* canBeScaled({ container_name, ports }: Service): Iterable<string> {
  if (container_name !== undefined) yield 'must have no container_name: two replicas cannot share it';
  for (const port of ports) {
    if (toBinding(port).hostPort === '') continue;
    yield `port ${JSON.stringify(port)} must leave the host port open: replicas cannot share it`;
  }
}

function* hasTimeToDrain({ environment, stop_grace_period }: Service): Iterable<string> {
  const { SLUICE_SHUTDOWN_TIMEOUT_MS: drain = '25000' } = environment;
  const drainMs = Number(drain);
  // Turned round, so that what is no number is a problem too.
  if (!(toMs(stop_grace_period) > drainMs)) {
    yield `stop_grace_period (${stop_grace_period}) must be longer than SLUICE_SHUTDOWN_TIMEOUT_MS (${drainMs} ms)`;
  }
}

/** Milliseconds of a Compose duration such as `1m30s`; NaN when it is none. */
function toMs(duration: string): number {
  const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 0.001 };
  if (!/^(\d+(h|ms|m|s|us))+$/.test(duration)) return Number.NaN;
  let sumMs = 0;
  for (const [, count, unit = ''] of duration.matchAll(/(\d+)(h|ms|m|s|us)/g))
    sumMs += Number(count) * (unitsMs[unit] ?? 0);
  return sumMs;
}

/** The instructions of the last stage; of one that comes twice the last, as Docker does for those that are checked. */
function lastStage(text: string): Map<string, string> {
  const lines = text
    .replaceAll(/^[ \t]*#.*\n?/gm, '')
    .replaceAll(/\\[ \t]*\n/g, ' ')
    .split('\n');
  const stage = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^\s*([a-z]+)\s+(.*?)\s*$/i.exec(line) ?? [];
    if (name.toUpperCase() === 'FROM') stage.clear();
    stage.set(name.toUpperCase(), value);
  }
  return stage;
}

/** Docker takes whatever is no JSON list for shell text, single quotes included. */
function isExecForm(value = ''): boolean {
  try {
    return z.array(z.string()).nonempty().safeParse(JSON.parse(value)).success;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const compose = read('docker-compose.yml');
  const problems = [...checkCompose(compose), ...checkDockerfile(read('Dockerfile'))];
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  } else {
    console.log(`docker-compose.yml: ${Object.keys(readCompose(compose).services).length} services, all rules hold`);
  }
}
