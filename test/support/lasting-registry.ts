import { type Metric, Registry } from 'prom-client';

/** A copy of a registry, which goes on showing the metrics that have left the first: what a producer counted at its end. */
export function aLastingCopy(registry: Registry): Registry {
  const copy = new Registry();
  for (const metric of registry.getMetricsAsArray()) copy.registerMetric(metric as unknown as Metric);
  return copy;
}
