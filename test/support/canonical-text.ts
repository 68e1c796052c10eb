import { expect } from 'vitest';

/** Expects the canonical text of a record, to the last character. */
export function expectCanonical(json: string, fields: { narrow: readonly string[]; wide: readonly string[] }): void {
  const record = JSON.parse(json) as Record<string, unknown>;
  const write = (name: string): string => `"${name}":${JSON.stringify(record[name])}`;
  const [narrow, wide] = [fields.narrow, fields.wide].map((names) => names.filter((name) => name in record).map(write));
  expect(json).toBe(`{${narrow?.join(',')}${wide?.map((field) => `,\t${field}`).join('')}}`);
}
