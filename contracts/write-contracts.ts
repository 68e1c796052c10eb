/** `npm run contracts`: writes the published contracts anew from the schemas that the programs use. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { contracts } from './contracts.ts';
import { toOpenapi } from './openapi.ts';
import { toJsonSchema } from './to-json-schema.ts';

/** Where the generated files are. */
export const contractsFolder = new URL('.', import.meta.url);

/** What belongs there: the files by their paths. */
export function contractFiles(): Map<string, string> {
  return new Map([
    ...contracts.map((contract) => [`schemas/${contract.name}.json`, textOf(toJsonSchema(contract))] as const),
    ['openapi.json', textOf(toOpenapi())],
  ]);
}

function textOf(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (import.meta.main) {
  const schemas = new URL('schemas/', contractsFolder);
  mkdirSync(schemas, { recursive: true });
  const files = contractFiles();
  for (const name of readdirSync(schemas)) if (!files.has(`schemas/${name}`)) rmSync(new URL(name, schemas));
  for (const [path, text] of files) writeFileSync(new URL(path, contractsFolder), text);
}
