import type { Registry } from 'prom-client';

/** The sample with exactly these labels (`name` as Prometheus sees it), or 0 while there is none. */
export async function metricValue(
  registry: Registry,
  name: string,
  labels: Record<string, string | number> = {},
): Promise<number> {
  const wanted = canonical(labels);
  for (const metric of await registry.getMetricsAsJSON()) {
    for (const { metricName, ...sample } of metric.values as Sample[]) {
      if ((metricName ?? metric.name) === name && canonical(sample.labels) === wanted) return sample.value;
    }
  }
  return 0;
}

interface Sample {
  metricName?: string;
  value: number;
  labels: Record<string, string | number>;
}

function canonical(labels: Record<string, string | number>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
