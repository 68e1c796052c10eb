import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1';
import { toError } from '../../shared/platform/errors.ts';

/** An object with the fields that all have; the others are as their kind has them. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the schema has looked at it
  [field: string]: any;
}

// biome-ignore lint/suspicious/noExplicitAny: each kind takes fields of its own, and this is where they are looked at
type Kind = (new (data: any) => { validate(): void }) & { apiVersion: string; kind: string };

/** The kinds that are used, each with the schema that Kubernetes, KEDA or the Prometheus operator publishes for it. */
const kinds: readonly Kind[] = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  PodMonitor,
  ScaledObject,
  Service,
  ServiceAccount,
  TriggerAuthentication,
];

/** What a schema finds wrong with a manifest, unknown fields included, which it allows and a server drops or refuses. */
export function findSchemaProblems(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const found = kinds.find((one) => one.kind === kind && one.apiVersion === apiVersion);
  if (found === undefined) return [`${apiVersion} ${kind} is no kind that this check has a schema of`];
  const { seen, unread } = watchReads(new found(manifest));
  try {
    seen.validate();
  } catch (error) {
    return toError(error).message.split('\n');
  }
  return unread().map((path) => `${path} is no field of ${kind}`);
}

/**
 * Finds the fields that nobody has looked at: the schemas are compiled to code that reads all fields that they know.
 *
 * @returns the value to read from, and the paths of its fields that were not read
 */
function watchReads<T extends object>(value: T): { seen: T; unread(): string[] } {
  const reads = new Map<object, { proxy: object; fields: Set<PropertyKey> }>();
  const watch = (of: object): object => {
    const known = reads.get(of);
    if (known !== undefined) return known.proxy;
    const fields = new Set<PropertyKey>();
    const proxy = new Proxy(of, {
      get(target, field) {
        fields.add(field);
        const read: unknown = Reflect.get(target, field);
        return isObject(read) ? watch(read) : read;
      },
    });
    reads.set(of, { proxy, fields });
    return proxy;
  };
  const unreadIn = (of: object, path: string): string[] =>
    Object.entries(of).flatMap(([field, inner]) => {
      const at = path === '' ? field : `${path}.${field}`;
      if (reads.get(of)?.fields.has(field) !== true) return [at];
      return isObject(inner) ? unreadIn(inner, at) : [];
    });
  return { seen: watch(value) as T, unread: () => unreadIn(value, '') };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
