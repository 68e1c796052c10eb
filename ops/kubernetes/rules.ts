import { parse } from 'yaml';
import { scaling } from '../../console/server/schemas/queues.ts';
import {
  type Config,
  type ConfigGroup,
  loadConfig,
  variableNames,
  variablesOf,
} from '../../shared/platform/config/config.ts';
import { toError } from '../../shared/platform/errors.ts';
import { groupsOf } from '../check-compose.ts';
import type { Manifest } from './schemas.ts';

/** A rule gives one sentence a problem. */
type Rule = (manifest: Manifest, all: readonly Manifest[]) => Iterable<string>;

const podRules: readonly Rule[] = [readsItsSettings, isConfined, hasMemory, isProbed, hasTimeToDrain, isSelected];
const rulesByKind: Readonly<Record<string, readonly Rule[]>> = {
  ConfigMap: [holdsSettingsOnly],
  Deployment: podRules,
  Job: podRules,
  Service: [selectsPods, injectsNoSetting],
  PodDisruptionBudget: [selectsPods],
  ScaledObject: [scalesWhatIsThere, asksWhatIsAnswered],
  HorizontalPodAutoscaler: [scalesWhatIsThere],
};

/** What the rules find wrong with manifests that are deployed together and that their schemas accept. */
export function findRuleProblems(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) =>
    (rulesByKind[manifest.kind] ?? []).flatMap((rule) =>
      Array.from(rule(manifest, manifests), (problem) => `${manifest.kind} ${manifest.metadata.name}: ${problem}`),
    ),
  );
}

/** Variables whose values must not be in a manifest. */
function isSecret(name: string): boolean {
  return /(_URL|_TOKENS?|_PASSWORD|_PEPPER)$/.test(name);
}

function* holdsSettingsOnly({ data }: Manifest): Iterable<string> {
  for (const name of Object.keys(data ?? {})) {
    if (!variableNames.includes(name)) yield `${name} is no variable of the configuration`;
    if (isSecret(name)) yield `${name} belongs into a Secret`;
  }
}

/** The rules of the configuration hold for what the container gets, with something in the place of each secret. */
function* readsItsSettings(manifest: Manifest, all: readonly Manifest[]): Iterable<string> {
  const { args, env } = containerOf(manifest);
  const own = variablesOf(groupsOf(args));
  for (const { name, value } of env ?? []) {
    if (!variableNames.includes(name)) yield `${name} is no variable of the configuration`;
    else if (!own.includes(name)) yield `${name} is not read by ${args.join(' ')}`;
    if (value !== undefined && isSecret(name)) yield `${name} must come from a Secret`;
  }
  const config = configOf(manifest, all);
  if (config instanceof Error) yield* config.message.split('\n');
  const given = Object.keys(environmentOf(manifest, all));
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'SLUICE_METRICS_TOKEN'])
    if (own.includes(name) && !given.includes(name)) yield `${name} is missing`;
}

function* isConfined(manifest: Manifest): Iterable<string> {
  const pod = podOf(manifest);
  const { securityContext, volumeMounts } = containerOf(manifest);
  if (pod.enableServiceLinks !== false)
    yield 'enableServiceLinks must be false: a Service could set a variable of ours';
  if (pod.automountServiceAccountToken !== false) yield 'automountServiceAccountToken must be false';
  if (pod.securityContext?.runAsNonRoot !== true) yield 'runAsNonRoot must be true';
  if (pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault') yield 'seccompProfile must be RuntimeDefault';
  if (securityContext?.readOnlyRootFilesystem !== true) yield 'readOnlyRootFilesystem must be true';
  if (securityContext?.allowPrivilegeEscalation !== false) yield 'allowPrivilegeEscalation must be false';
  if (!securityContext?.capabilities?.drop?.includes('ALL')) yield 'all capabilities must be dropped';
  const tmp = volumeMounts?.find(({ mountPath }: { mountPath: string }) => mountPath === '/tmp');
  const volume = pod.volumes?.find(({ name }: { name: string }) => name === tmp?.name);
  if (volume?.emptyDir === undefined) yield '/tmp must be an emptyDir: nothing else can be written to';
}

/** The heap is a share of the limit. A request below it would have the node end the process, and not V8. */
function* hasMemory(manifest: Manifest): Iterable<string> {
  const { requests, limits } = containerOf(manifest).resources ?? {};
  if (limits?.memory === undefined) yield 'needs a limit of memory';
  else if (requests?.memory !== limits.memory) yield 'must request as much memory as its limit';
  if (requests?.cpu === undefined) yield 'must request CPU: utilisation is a share of that';
}

function* isProbed(manifest: Manifest, all: readonly Manifest[]): Iterable<string> {
  if (manifest.kind !== 'Deployment') return;
  const { args, ports, ...container } = containerOf(manifest);
  const port = serverOf(manifest, all)?.port;
  const named = ports?.find(({ containerPort }: { containerPort: number }) => containerPort === port);
  if (named === undefined) yield `must name port ${port}, on which it listens`;
  for (const [probe, path] of [
    ['startupProbe', '/healthz'],
    ['livenessProbe', '/healthz'],
    ['readinessProbe', '/readyz'],
  ] as const) {
    const { httpGet } = container[probe] ?? {};
    if (httpGet?.path !== path || httpGet.port !== named?.name) yield `${probe} must ask ${path} on that port`;
  }
}

function* hasTimeToDrain(manifest: Manifest, all: readonly Manifest[]): Iterable<string> {
  const server = serverOf(manifest, all);
  if (manifest.kind !== 'Deployment' || server === null) return;
  const { lifecycle } = containerOf(manifest);
  const graceSeconds = podOf(manifest).terminationGracePeriodSeconds ?? 30;
  const drainSeconds = server.shutdownTimeoutMs / 1_000 + (lifecycle?.preStop?.sleep?.seconds ?? 0);
  // The connections are closed after the drain.
  if (graceSeconds < drainSeconds + 5)
    yield `terminationGracePeriodSeconds (${graceSeconds}) must be five more at least than the ${drainSeconds} s that stopping may take`;
}

function* isSelected({ kind, spec }: Manifest): Iterable<string> {
  if (kind === 'Deployment' && !matches(spec.selector.matchLabels, spec.template.metadata.labels))
    yield 'its selector does not match its pods';
}

function* selectsPods({ kind, spec }: Manifest, all: readonly Manifest[]): Iterable<string> {
  const labels = kind === 'Service' ? spec.selector : spec.selector.matchLabels;
  const targets = deployments(all).filter((one) => matches(labels, one['spec'].template.metadata.labels));
  if (targets.length !== 1) yield `selects the pods of ${targets.length} deployments`;
  for (const { targetPort } of spec.ports ?? [])
    if (!targets.every((one) => containerOf(one).ports?.some(({ name }: { name: string }) => name === targetPort)))
      yield `there is no port ${targetPort}`;
}

/** The kubelet tells pods of the same namespace where a Service is, in variables that are called after it. */
function* injectsNoSetting({ metadata }: Manifest): Iterable<string> {
  const prefix = metadata.name.toUpperCase().replaceAll('-', '_');
  for (const end of ['_PORT', '_SERVICE_HOST', '_SERVICE_PORT'])
    if (variableNames.includes(prefix + end))
      yield `its name makes the kubelet set ${prefix + end}, which is a setting`;
}

function* scalesWhatIsThere({ spec }: Manifest, all: readonly Manifest[]): Iterable<string> {
  const target = deployments(all).find((one) => one.metadata.name === spec.scaleTargetRef.name);
  if (target === undefined) yield `scales ${spec.scaleTargetRef.name}, which does not exist`;
  else if (target['spec'].replicas !== undefined)
    yield `${target.metadata.name} must not set replicas: they are scaled`;
}

function* asksWhatIsAnswered({ spec }: Manifest, all: readonly Manifest[]): Iterable<string> {
  for (const { type, metadata, authenticationRef } of spec.triggers) {
    if (type !== 'metrics-api') continue;
    const url = new URL(metadata.url);
    const service = all.find(({ kind, metadata: { name } }) => kind === 'Service' && name === url.host.split('.')[0]);
    if (service === undefined) yield `asks ${url.host}, which does not exist`;
    if (url.pathname !== '/api/v1/scaling') yield `asks ${url.pathname} instead of /api/v1/scaling`;
    if (!(metadata.valueLocation in scaling.shape)) yield `the console answers no ${metadata.valueLocation}`;
    const isNamed = ({ kind, metadata: { name } }: Manifest) =>
      kind === 'TriggerAuthentication' && name === authenticationRef?.name;
    if (!all.some(isNamed)) yield `has no TriggerAuthentication ${authenticationRef?.name}`;
  }
}

function deployments(all: readonly Manifest[]): Manifest[] {
  return all.filter(({ kind }) => kind === 'Deployment');
}

function podOf({ spec }: Manifest) {
  return spec.template.spec;
}

function containerOf(manifest: Manifest) {
  return podOf(manifest).containers[0];
}

function matches(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Something that each secret could be. Tokens have to differ. */
function anySecret(name: string): string {
  if (name === 'REDIS_URL') return 'redis://redis:6379';
  if (name.endsWith('DATABASE_URL')) return 'postgresql://user:password@postgres:5432/sluice';
  return name === 'SLUICE_CONSOLE_REALM_TOKENS' ? '{"realm":"a-token-of-a-realm"}' : `a-secret-that-is-${name}`;
}

function environmentOf(manifest: Manifest, all: readonly Manifest[]): Record<string, string> {
  const { env, envFrom } = containerOf(manifest);
  const maps = (envFrom ?? []).map(({ configMapRef }: { configMapRef?: { name: string } }) => configMapRef?.name);
  const shared = all.filter(({ kind, metadata }) => kind === 'ConfigMap' && maps.includes(metadata.name));
  const own = (env ?? []).map(({ name, value }: { name: string; value?: string }) => [name, value ?? anySecret(name)]);
  return Object.assign({}, ...shared.map(({ data }) => data), Object.fromEntries(own));
}

function configOf(manifest: Manifest, all: readonly Manifest[]): Config | Error {
  const groups: readonly ConfigGroup[] = groupsOf(containerOf(manifest).args);
  try {
    return loadConfig(environmentOf(manifest, all), groups) as Config;
  } catch (error) {
    return toError(error);
  }
}

/** How a process that goes on listens and stops; null where its configuration has a problem, which is told elsewhere. */
function serverOf(
  manifest: Manifest,
  all: readonly Manifest[],
): Pick<Config['worker'], 'port' | 'shutdownTimeoutMs'> | null {
  const config = configOf(manifest, all);
  if (config instanceof Error) return null;
  const [command] = containerOf(manifest).args;
  if (command === 'gateway') return config.gateway;
  return command === 'console' ? config.console : config.worker;
}

/** What differs between a container's memory here and the one of the same name in the Compose file. */
export function findMemoryDifferences(manifests: readonly Manifest[], compose: string): string[] {
  const { services } = parse(compose, { merge: true }) as {
    services: Record<string, { deploy?: { resources: { limits: { memory: string } } } }>;
  };
  return manifests.flatMap((manifest) => {
    if (manifest.kind !== 'Deployment' && manifest.kind !== 'Job') return [];
    const { name, resources } = containerOf(manifest);
    const there = services[name]?.deploy?.resources.limits.memory;
    const here = resources?.limits?.memory;
    if (`${there}i`.toLowerCase() === String(here).toLowerCase()) return [];
    return [`${manifest.kind} ${manifest.metadata.name}: has ${here} of memory, and ${there} in docker-compose.yml`];
  });
}
