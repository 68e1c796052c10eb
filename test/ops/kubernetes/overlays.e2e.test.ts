import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { components, findProblems, parseManifests } from '../../../ops/kubernetes/check-kubernetes.ts';
import type { Manifest } from '../../../ops/kubernetes/schemas.ts';
import { createDirectory } from '../../support/fixtures.ts';
import { kustomize } from '../../support/kubectl.ts';

const folder = new URL('../../../ops/kubernetes/', import.meta.url).pathname;

test('overlays: what kustomize makes of the example holds all rules, in its namespace and with its image', async () => {
  const manifests = parseManifests(await kustomize(join(folder, 'example')));
  expect(findProblems(manifests)).toEqual([]);
  expect(manifests.every(({ metadata }) => (metadata as { namespace?: string }).namespace === 'sluice')).toBe(true);
  const images = manifests.flatMap((one) => containersOf(one).map(({ image }) => image));
  expect(new Set(images)).toEqual(new Set(['registry.example.com/sluice:0.1.0']));
  expect(images).toHaveLength(5);
}, 180_000);

test('overlays: each component fits the base', async () => {
  for (const component of components) {
    const dir = await createDirectory();
    const to = (name: string) => relative(dir, join(folder, name));
    await writeFile(
      join(dir, 'kustomization.yaml'),
      stringify({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: [to('base')],
        components: [to(component)],
      }),
    );
    expect(findProblems(parseManifests(await kustomize(dir))), component).toEqual([]);
  }
}, 180_000);

test('overlays: the archive is mounted where the maintenance worker is told to write it', async () => {
  const manifests = parseManifests(await kustomize(join(folder, 'example')));
  const maintenance = manifests.find(({ metadata }) => metadata.name === 'sluice-maintenance');
  const [container] = maintenance === undefined ? [] : containersOf(maintenance);
  const path = container?.env.find(({ name }) => name === 'SLUICE_ARCHIVE_DIR')?.value;
  expect(container?.volumeMounts.filter(({ mountPath }) => mountPath === path)).toEqual([
    { name: 'archive', mountPath: '/var/lib/sluice/archive' },
  ]);
  // Two pods cannot have the volume at once.
  expect(maintenance?.['spec'].strategy).toEqual({ type: 'Recreate' });
}, 180_000);

interface Container {
  image: string;
  env: { name: string; value?: string }[];
  volumeMounts: { name: string; mountPath: string }[];
}

function containersOf({ kind, spec }: Manifest): Container[] {
  return kind === 'Deployment' || kind === 'Job' ? spec.template.spec.containers : [];
}
