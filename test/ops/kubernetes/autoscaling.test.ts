import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { minWorkers } from '../../../console/server/queues/scaling.ts';
import type { Behavior, ScalerSettings } from '../../support/autoscaler.ts';
import { type Moment, simulateFleet } from '../../support/simulated-fleet.ts';

interface Trigger {
  type: string;
  metricType: string;
  metadata: Record<string, string>;
}

const keda = kedaSettings('keda', 'metrics-api', (one) => [one['valueLocation'], one['targetValue']]);
const kedaOnPrometheus = kedaSettings('keda-prometheus', 'prometheus', (one) => [one['query'], one['threshold']]);
const hpa = hpaSettings();

/** A worker does twenty jobs a second, and takes them twenty seconds after it is wanted. */
const pods = { jobsPerSecond: 20, startSeconds: 20 };
const hour = 3_600;

const simulate = (
  settings: ScalerSettings,
  hours: number,
  load: (at: number) => number,
  isAway?: (at: number) => boolean,
) => simulateFleet({ settings, pods, seconds: hours * hour, load, ...(isAway === undefined ? {} : { isAway }) });

test('autoscaling: both rules for KEDA say the same', () => {
  expect(kedaOnPrometheus).toEqual(keda);
});

test('autoscaling: under any steady load, the number of workers comes to rest and stays', () => {
  for (let perSecond = 1; perSecond <= 110; perSecond += 3) {
    const moments = simulate(keda, 3, () => perSecond);
    const late = after(moments, hour);
    expect(changesOf(late), `${perSecond} jobs a second`).toEqual([]);
    expect(late.every(({ oldestSeconds }) => oldestSeconds < 2)).toBe(true);
    // No more than a worker too many, by the share of a core that is aimed at.
    expect(late[0]?.replicas).toBeLessThanOrEqual(Math.ceil(perSecond / (pods.jobsPerSecond * 0.6)) + 1);
  }
});

test('autoscaling: it is CPU that keeps them, as the same rule without it goes up and down all the time', () => {
  const moments = simulate({ ...keda, cpuTarget: Number.MAX_VALUE }, 3, () => 70);
  expect(turnsOf(after(moments, hour))).toBeGreaterThan(5);
});

test('autoscaling: a noisy load does not have the number of workers go up and down', () => {
  const random = aRandom();
  const late = after(
    simulate(keda, 4, () => 60 * (0.5 + random())),
    hour,
  );
  expect(turnsOf(late)).toBeLessThanOrEqual(1);
  expect(late.every(({ oldestSeconds }) => oldestSeconds < 30)).toBe(true);
});

test('autoscaling: over a day it goes up once and down once with each wave', () => {
  const wave = 4 * hour;
  const moments = simulate(keda, 16, (at) => 35 * (1.1 - Math.cos((at / wave) * 2 * Math.PI)));
  // Four waves have eight turns; the cold start may add two.
  expect(turnsOf(moments)).toBeLessThanOrEqual(10);
  expect(Math.max(...after(moments, hour).map(({ oldestSeconds }) => oldestSeconds))).toBeLessThan(60);
});

test('autoscaling: a load that jumps is caught up with, and the workers that it needed go again', () => {
  const moments = simulate(keda, 4, (at) => (at > hour && at < 2 * hour ? 100 : 20));
  expect(Math.max(...moments.map(({ oldestSeconds }) => oldestSeconds))).toBeLessThan(120);
  expect(moments.at(-1)).toMatchObject({ replicas: 2, backlog: 0 });
  expect(turnsOf(after(moments, hour))).toBe(1);
});

test('autoscaling: to zero when nothing comes, once, and back for a single job, which is done', () => {
  const moments = simulate(keda, 3, (at) => (at < 60 || at === 2 * hour ? 1 : 0));
  const counts = changesOf(moments).map(({ replicas }) => replicas);
  expect(counts).toEqual([1, 0, 1, 0]);
  const stopped = moments.find(({ at, replicas }) => at > 60 && replicas === 0)?.at ?? Number.NaN;
  expect(stopped - 60).toBeGreaterThanOrEqual(keda.toZero?.cooldownPeriod ?? Number.NaN);
  expect(moments.at(-1)).toMatchObject({ replicas: 0, backlog: 0 });
  expect(Math.max(...moments.map(({ oldestSeconds }) => oldestSeconds))).toBeLessThan(60);
});

test('autoscaling: a job now and then keeps a worker, as workers that keep up show no backlog', () => {
  const moments = simulate(keda, 3, (at) => (at % 30 === 0 ? 1 : 0));
  expect(changesOf(after(moments, hour))).toEqual([]);
  expect(moments.at(-1)?.replicas).toBe(1);
});

test('autoscaling: no worker ends while jobs are delayed, which only a worker takes up', () => {
  const queue = {
    waiting: 0,
    active: 0,
    delayed: 0,
    isPaused: false,
    isPartial: false,
    rates: { arrivalsPerSecond: 0 },
  };
  expect(minWorkers(queue)).toBe(0);
  expect(minWorkers({ ...queue, delayed: 1 })).toBe(1);
  expect(minWorkers({ ...queue, rates: { arrivalsPerSecond: 0.02 } })).toBe(1);
  expect(minWorkers({ ...queue, waiting: 5, isPaused: true })).toBe(0);
  // Of what cannot be read, nobody knows.
  expect(minWorkers({ ...queue, isPartial: true })).toBe(1);
  expect(minWorkers({ ...queue, isPartial: true, isPaused: true })).toBe(0);
});

test('autoscaling: more than all workers can do ends at the maximum, and is worked off', () => {
  const moments = simulate(keda, 6, (at) => (at < hour / 2 ? 200 : 5));
  expect(Math.max(...moments.map(({ replicas }) => replicas))).toBe(keda.maxReplicas);
  expect(moments.at(-1)).toMatchObject({ replicas: 1, backlog: 0 });
  expect(turnsOf(moments)).toBe(1);
});

test('autoscaling: an outage of PostgreSQL starts and ends no workers, and what waited is worked off after it', () => {
  const isAway = (at: number) => at >= hour && at < 2 * hour;
  const moments = simulate(keda, 6, () => 30, isAway);
  const during = moments.filter(({ at }) => isAway(at));
  expect(changesOf(during)).toEqual([]);
  expect(during.at(-1)?.backlog).toBeGreaterThan(100_000);
  expect(turnsOf(after(moments, hour))).toBe(1);
  expect(moments.at(-1)).toMatchObject({ backlog: 0, replicas: during[0]?.replicas });
});

test('autoscaling: the fallback by CPU comes to rest, too, between its bounds', () => {
  for (const perSecond of [1, 20, 57, 100]) {
    const late = after(
      simulate(hpa, 4, () => perSecond),
      hour,
    );
    expect(changesOf(late), `${perSecond} jobs a second`).toEqual([]);
    expect(late.every(({ oldestSeconds }) => oldestSeconds < 2)).toBe(true);
  }
});

function documentOf(component: string, kind: string) {
  const file = component === 'hpa' ? 'hpa.yaml' : 'scaled-object.yaml';
  const text = readFileSync(
    new URL(`../../../ops/kubernetes/components/${component}/${file}`, import.meta.url),
    'utf8',
  );
  const found = parseAllDocuments(text).map((one) => one.toJS());
  return found.find((one) => one.kind === kind).spec;
}

/** @param read of a trigger's metadata, what it asks for and its target */
function kedaSettings(
  component: string,
  type: string,
  read: (metadata: Record<string, string>) => (string | undefined)[],
): ScalerSettings {
  const spec = documentOf(component, 'ScaledObject');
  const triggers: Trigger[] = spec.triggers;
  const find = (name: RegExp, metricType: string) => {
    const found = triggers.find((one) => one.type === type && name.test(read(one.metadata)[0] ?? ''));
    expect(found?.metricType).toBe(metricType);
    return Number(read(found?.metadata ?? {})[1]);
  };
  expect(find(/min_?workers/i, 'AverageValue')).toBe(1);
  return {
    minReplicas: spec.minReplicaCount,
    maxReplicas: spec.maxReplicaCount,
    toZero: { pollingInterval: spec.pollingInterval, cooldownPeriod: spec.cooldownPeriod },
    backlogTarget: find(/backlog_?seconds/i, 'Value'),
    cpuTarget: Number(triggers.find((one) => one.type === 'cpu')?.metadata['value']),
    behavior: spec.advanced.horizontalPodAutoscalerConfig.behavior,
  };
}

function hpaSettings(): ScalerSettings {
  const spec = documentOf('hpa', 'HorizontalPodAutoscaler');
  return {
    minReplicas: spec.minReplicas,
    maxReplicas: spec.maxReplicas,
    toZero: null,
    backlogTarget: null,
    cpuTarget: spec.metrics[0].resource.target.averageUtilization,
    behavior: spec.behavior as { scaleUp: Behavior; scaleDown: Behavior },
  };
}

function after(moments: readonly Moment[], seconds: number): Moment[] {
  return moments.filter(({ at }) => at >= seconds);
}

function changesOf(moments: readonly Moment[]): Moment[] {
  return moments.filter(({ replicas }, index) => index > 0 && replicas !== moments[index - 1]?.replicas);
}

/** How often the number went the other way. */
function turnsOf(moments: readonly Moment[]): number {
  const directions = changesOf(moments).map(({ at, replicas }) =>
    Math.sign(replicas - (moments[at - (moments[0]?.at ?? 0) - 1]?.replicas ?? 0)),
  );
  return directions.filter((direction, index) => index > 0 && direction !== directions[index - 1]).length;
}

/** Evenly spread over [0, 1), the same in each run. */
function aRandom(): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
}
