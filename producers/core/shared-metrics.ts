import { type Metric, Registry } from 'prom-client';
import manifest from '../package.json' with { type: 'json' };

/** The metrics of one kind in one registry, and what they read. */
interface SharedMetrics {
  state: unknown;
  metrics: readonly Metric[];
  users: number;
}

/** What a producer shares with those of its kind in the same registry. */
export interface Membership<T> {
  state: T;
  /** Leaves. With the last one the metrics leave the registry. A second call does nothing. */
  leave(): void;
}

type Registries = WeakMap<Registry, Map<string, SharedMetrics>>;

/** All copies of one version in a process share it: a host may import the SDK, and a library of the host's may require it. */
const key = Symbol.for(`sluice.producer-metrics.${manifest.version}`);

function allRegistries(): Registries {
  const shared = globalThis as { [key]?: Registries };
  shared[key] ??= new WeakMap();
  return shared[key];
}

/**
 * Joins the metrics of a kind in a registry. The first producer makes them, the others count into the same ones, and the last
 * one to leave takes them away, so a registry can be used again and again.
 *
 * @param create makes the metrics in the registries that it is given, and what they read
 * @throws Error that names the remedy, when the registry has a metric of such a name that is not ours; nothing is left behind
 */
export function joinMetrics<T>(registry: Registry, kind: string, create: (registers: Registry[]) => T): Membership<T> {
  const registries = allRegistries();
  const kinds = registries.get(registry) ?? new Map<string, SharedMetrics>();
  registries.set(registry, kinds);
  const shared = kinds.get(kind) ?? make(create);
  // Also when they are known: somebody may have cleared the registry meanwhile.
  register(registry, shared.metrics);
  kinds.set(kind, shared);
  shared.users += 1;
  let isMember = true;
  return {
    state: shared.state as T,
    leave() {
      if (!isMember) return;
      isMember = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      kinds.delete(kind);
      unregister(registry, shared.metrics);
    },
  };
}

function make<T>(create: (registers: Registry[]) => T): SharedMetrics {
  // Not in the registry itself: when one name of several is taken there, none must stay.
  const own = new Registry();
  const state = create([own]);
  return { state, metrics: own.getMetricsAsArray() as unknown as Metric[], users: 0 };
}

function register(registry: Registry, metrics: readonly Metric[]): void {
  const taken = metrics.find((metric) => ![undefined, metric].includes(find(registry, metric)));
  if (taken !== undefined)
    throw new Error(
      `the registry already has a metric ${nameOf(taken)}, registered by another copy of this library or by other code; close that producer first, or give this one its own registry (option "registry")`,
    );
  for (const metric of metrics) registry.registerMetric(metric);
}

/** Those that are still ours: after a clear the name may be somebody else's. */
function unregister(registry: Registry, metrics: readonly Metric[]): void {
  for (const metric of metrics) if (find(registry, metric) === metric) registry.removeSingleMetric(nameOf(metric));
}

function find(registry: Registry, metric: Metric): Metric | undefined {
  return registry.getSingleMetric(nameOf(metric));
}

/** prom-client's declarations leave the name out. */
function nameOf(metric: Metric): string {
  return (metric as unknown as { name: string }).name;
}
