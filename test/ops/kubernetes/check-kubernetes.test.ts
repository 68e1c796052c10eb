import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { components, findProblems, parseManifests, readManifests } from '../../../ops/kubernetes/check-kubernetes.ts';
import { findMemoryDifferences } from '../../../ops/kubernetes/rules.ts';
import type { Manifest } from '../../../ops/kubernetes/schemas.ts';

const compose = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');

test('kubernetes check: the manifests of this checkout hold all rules, with each component', () => {
  expect(components.length).toBeGreaterThanOrEqual(6);
  for (const component of components)
    expect(findProblems([...readManifests('base'), ...readManifests(component)]), component).toEqual([]);
  expect(findMemoryDifferences(readManifests('base'), compose)).toEqual([]);
});

test('kubernetes check: a misspelt field is a problem, at any depth, although the schemas allow it', () => {
  expectProblem((pod) => {
    pod.terminationGraceSeconds = 40;
  }, 'Deployment sluice-worker: spec.template.spec.terminationGraceSeconds is no field of Deployment');
  expectProblem((pod) => {
    pod.containers[0].livenessProbe.httpGet.url = '/healthz';
  }, 'Deployment sluice-worker: spec.template.spec.containers.0.livenessProbe.httpGet.url is no field of Deployment');
});

test('kubernetes check: a value of the wrong type, a missing field and an unknown kind are problems', () => {
  expectProblem((pod) => {
    pod.containers[0].ports[0].containerPort = 'metrics';
  }, /containerPort/);
  expectProblem((pod) => {
    delete pod.containers[0].name;
  }, /name/);
  expect(findProblems([{ apiVersion: 'v2', kind: 'Deployment', metadata: { name: 'x' } }])).toEqual([
    'Deployment x: v2 Deployment is no kind that this check has a schema of',
  ]);
});

test('kubernetes check: a variable that does not exist, or that the process does not read, is a problem', () => {
  expectProblem(
    (pod) => pod.containers[0].env.push({ name: 'SLUICE_WORKER_HOSTS', value: '::' }),
    'Deployment sluice-worker: SLUICE_WORKER_HOSTS is no variable of the configuration',
  );
  expectProblem(
    (pod) => pod.containers[0].env.push({ name: 'SLUICE_CONSOLE_READ_TOKEN', valueFrom: {} }),
    'Deployment sluice-worker: SLUICE_CONSOLE_READ_TOKEN is not read by worker execution-log completed-request',
  );
  const manifests = readManifests('base');
  Object.assign(manifests.find(({ kind }) => kind === 'ConfigMap')?.['data'], { SLUICE_RETENTION: '9' });
  expect(findProblems(manifests)).toEqual([
    'ConfigMap sluice-settings: SLUICE_RETENTION is no variable of the configuration',
  ]);
});

test('kubernetes check: what the configuration would refuse at the start of a pod is a problem now', () => {
  expectProblem(
    (pod) => pod.containers[0].env.push({ name: 'SLUICE_WORKER_CONCURRENCY', value: '0' }),
    /SLUICE_WORKER_CONCURRENCY/,
  );
  expectProblem((pod) => {
    pod.containers[0].env = pod.containers[0].env.filter(({ name }: { name: string }) => name !== 'REDIS_URL');
  }, 'Deployment sluice-worker: REDIS_URL is missing');
});

test('kubernetes check: a secret that is written down is a problem', () => {
  expectProblem((pod) => {
    pod.containers[0].env[0] = { name: 'DATABASE_URL', value: 'postgresql://user:password@db/sluice' };
  }, 'Deployment sluice-worker: DATABASE_URL must come from a Secret');
});

test('kubernetes check: less time than the drain takes is a problem', () => {
  expectProblem((pod) => {
    pod.terminationGracePeriodSeconds = 29;
  }, /terminationGracePeriodSeconds \(29\) must be five more at least than the 25 s/);
  expectProblem((pod) => {
    pod.containers[0].lifecycle = { preStop: { sleep: { seconds: 20 } } };
  }, /than the 45 s/);
});

test('kubernetes check: a pod that may do more than it needs is a problem', () => {
  expectProblem((pod) => {
    delete pod.containers[0].securityContext;
  }, 'Deployment sluice-worker: readOnlyRootFilesystem must be true');
  expectProblem((pod) => {
    delete pod.securityContext;
  }, 'Deployment sluice-worker: runAsNonRoot must be true');
  expectProblem((pod) => {
    delete pod.enableServiceLinks;
  }, /enableServiceLinks must be false/);
  expectProblem((pod) => {
    pod.volumes = [];
  }, /\/tmp must be an emptyDir/);
});

test('kubernetes check: a probe of the wrong port or path is a problem', () => {
  expectProblem((pod) => {
    pod.containers[0].readinessProbe.httpGet.path = '/healthz';
  }, 'Deployment sluice-worker: readinessProbe must ask /readyz on that port');
  expectProblem((pod) => {
    pod.containers[0].ports[0].containerPort = 9464;
  }, 'Deployment sluice-worker: must name port 9465, on which it listens');
});

test('kubernetes check: memory that is not the one of the Compose file, or not requested, is a problem', () => {
  expectProblem((pod) => {
    pod.containers[0].resources.requests.memory = '256Mi';
  }, /must request as much memory as its limit/);
  const manifests = readManifests('base');
  podOf(manifests).containers[0].resources.limits.memory = '256Mi';
  expect(findMemoryDifferences(manifests, compose)).toEqual([
    'Deployment sluice-worker: has 256Mi of memory, and 512m in docker-compose.yml',
  ]);
});

test('kubernetes check: a Service whose name makes the kubelet set one of our variables is a problem', () => {
  const manifests = readManifests('base');
  const service = manifests.find(({ kind }) => kind === 'Service');
  if (service) service.metadata.name = 'sluice-console';
  expect(findProblems(manifests)).toContain(
    'Service sluice-console: its name makes the kubelet set SLUICE_CONSOLE_PORT, which is a setting',
  );
});

test('kubernetes check: an autoscaler that asks for what is not answered, or fights the manifest, is a problem', () => {
  const keda = readManifests('components/keda');
  keda[0]?.['spec'].triggers.splice(0, 1, {
    ...keda[0]?.['spec'].triggers[0],
    metadata: { url: 'http://sluice-web.sluice.svc/api/v1/scaling', valueLocation: 'backlog' },
  });
  const base = readManifests('base');
  const worker = base.find(({ metadata }) => metadata.name === 'sluice-worker');
  if (worker) worker['spec'].replicas = 2;
  expect(findProblems([...base, ...keda])).toEqual([
    'ScaledObject sluice-worker: sluice-worker must not set replicas: they are scaled',
    'ScaledObject sluice-worker: the console answers no backlog',
  ]);
});

test('kubernetes check: a key that comes twice is no manifest', () => {
  expect(() => parseManifests('kind: Job\nkind: Job\n')).toThrow(/unique/);
});

// biome-ignore lint/suspicious/noExplicitAny: any part of it may be changed
function podOf(manifests: readonly Manifest[]): any {
  return manifests.find(({ metadata }) => metadata.name === 'sluice-worker')?.['spec'].template.spec;
}

// biome-ignore lint/suspicious/noExplicitAny: any part of it may be changed
function expectProblem(change: (pod: any) => unknown, problem: string | RegExp): void {
  const manifests = readManifests('base');
  change(podOf(manifests));
  expect(findProblems(manifests)).toContainEqual(
    typeof problem === 'string' ? problem : expect.stringMatching(problem),
  );
}
