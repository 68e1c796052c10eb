/**
 * `npm run check:kubernetes`: holds the manifests to the published schemas and to rules whose breach shows late, such as a grace
 * period that is too short. There is no need for a cluster: the files are only read.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { findMemoryDifferences, findRuleProblems } from './rules.ts';
import { findSchemaProblems, type Manifest } from './schemas.ts';

const folder = new URL('./', import.meta.url);

/** The manifests of a folder; kustomize's own files are none. @param name such as `base` or `components/keda` */
export function readManifests(name: string): Manifest[] {
  const files = readdirSync(new URL(name, folder)).filter((file) => file !== 'kustomization.yaml');
  return files.flatMap((file) => parseManifests(readFileSync(new URL(`${name}/${file}`, folder), 'utf8')));
}

/** @throws Error when the text is no YAML, or a key comes twice */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    const [flaw] = document.errors;
    if (flaw !== undefined) throw flaw;
    return document.toJS() as Manifest;
  });
}

/** The components, each of which is deployed with the base. */
export const components: readonly string[] = readdirSync(new URL('components', folder)).map(
  (name) => `components/${name}`,
);

/** One sentence a problem. The rules look only at what its schema accepts. */
export function findProblems(manifests: readonly Manifest[]): string[] {
  const problems = manifests.flatMap((manifest) =>
    findSchemaProblems(manifest).map((problem) => `${manifest.kind} ${manifest.metadata?.name}: ${problem}`),
  );
  return problems.length > 0 ? problems : findRuleProblems(manifests);
}

if (import.meta.main) {
  const base = readManifests('base');
  const compose = readFileSync(new URL('../../docker-compose.yml', folder), 'utf8');
  const problems = new Set([
    ...components.flatMap((name) => findProblems([...base, ...readManifests(name)])),
    ...findMemoryDifferences(base, compose),
  ]);
  if (problems.size > 0) {
    console.error(Array.from(problems).join('\n'));
    process.exitCode = 1;
  } else console.log(`ops/kubernetes: ${base.length} manifests and ${components.length} components, all rules hold`);
}
