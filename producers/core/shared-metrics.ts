import { type Metric, Registry } from 'prom-client';
import manifest from '../package.json' with { type: 'json' };

/** The metrics of one kind in one registry, and the state that they read. */
interface SharedMetrics {
  state: unknown;
  metrics: readonly Metric[];
  users: number;
}

/** A producer's share in the metrics of its kind and registry. */
export interface Membership<T> {
  state: T;
  /** Leaves. The last producer that leaves removes the metrics from the registry. A second call does nothing. */
  leave(): void;
}

type Registries = WeakMap<Registry, Map<string, SharedMetrics>>;

/** All copies of one version in a process share it: a host may import the SDK while one of its libraries requires it. */
const key = Symbol.for(`sluice.producer-metrics.${manifest.version}`);

function allRegistries(): Registries {
  const shared = globalThis as { [key]?: Registries };
  shared[key] ??= new WeakMap();
  return shared[key];
}

/**
 * Joins the metrics of a kind in a registry. The first producer creates them, the others count into the same ones, and the last
 * one to leave removes them, so that the registry can be used again.
 *
 * @param create creates the metrics in the given registries and returns the state that they read
 * @throws Error that names the remedy when the registry already has a metric of the same name from other code; then nothing is
 *   registered
 */
export function joinMetrics<T>(registry: Registry, kind: string, create: (registers: Registry[]) => T): Membership<T> {
  const registries = allRegistries();
  const kinds = registries.get(registry) ?? new Map<string, SharedMetrics>();
  registries.set(registry, kinds);
  const shared = kinds.get(kind) ?? make(create);
  // Even if they exist already: somebody may have cleared the registry meanwhile.
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
  // Not in the registry itself: if one of several names is taken there, none may stay.
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

/** Removes only metrics that are still ours: after a clear, the name may belong to others. */
function unregister(registry: Registry, metrics: readonly Metric[]): void {
  for (const metric of metrics) if (find(registry, metric) === metric) registry.removeSingleMetric(nameOf(metric));
}

function find(registry: Registry, metric: Metric): Metric | undefined {
  return registry.getSingleMetric(nameOf(metric));
}

/** prom-client's types lack the name. */
function nameOf(metric: Metric): string {
  return (metric as unknown as { name: string }).name;
}
