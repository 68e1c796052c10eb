import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contracts } from '../../contracts/contracts.ts';
import * as chunks from '../../contracts/examples/chunks.ts';
import { contractFiles, contractsFolder } from '../../contracts/write-contracts.ts';
import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { healthEventTypes, isUnreadable, readHealthEvent } from '../../shared/contracts/health-event.ts';
import { healthEventSchema } from '../../shared/contracts/health-event-schema.ts';
import { parseChunk } from '../../shared/contracts/parse-chunk.ts';
import { unwrapChunk } from '../../shared/platform/chunk-compression.ts';

const files = contractFiles();

/** As somebody reads it who has the file and no code of ours. */
function readPublished(name: string) {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
  addFormats.default(ajv);
  const schema = JSON.parse(readFileSync(new URL(`schemas/${name}.json`, contractsFolder), 'utf8'));
  expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  return { schema, accepts: ajv.compile(schema) };
}

/** As JSON, in which what is undefined is absent. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('contracts: the files are what the schemas make; if not, run npm run contracts', () => {
  for (const [path, text] of files) expect(readFileSync(new URL(path, contractsFolder), 'utf8'), path).toBe(text);
  const published = readdirSync(new URL('schemas/', contractsFolder)).map((name) => `schemas/${name}`);
  expect(published.filter((path) => !files.has(path))).toEqual([]);
});

test('contracts: every description beside a schema is that of one of its fields', () => {
  for (const { name, fields = {} } of contracts) {
    const known = Object.keys(readPublished(name).schema.properties ?? {});
    expect(
      Object.keys(fields).filter((field) => !known.includes(field)),
      name,
    ).toEqual([]);
  }
});

describe.each(contracts)('contract $name', ({ name, schema: zod, examples, counterExamples }) => {
  const { schema, accepts } = readPublished(name);

  test('it has an id, a version, a title and a description, and so has every field', () => {
    expect(schema.$id).toMatch(/^urn:sluice:contract:[a-z-]+:\d+$/);
    expect(schema.$comment).toMatch(/^version \d+\.\d+$/);
    expect(schema.title).toBeTruthy();
    expect(schema.description).toBeTruthy();
    expect(undescribed(schema)).toEqual([]);
  });

  test('each of its examples is accepted by zod and by ajv', () => {
    expect(schema.examples.length).toBeGreaterThan(0);
    expect(schema.examples).toEqual(asJson(examples));
    for (const example of schema.examples) {
      expect(zod.safeParse(example).error?.message).toBe(undefined);
      expect(accepts(example), JSON.stringify(accepts.errors)).toBe(true);
    }
  });

  test.each(Object.entries(counterExamples))('%s is refused by zod and by ajv', (_, value) => {
    const example = asJson(value);
    expect([zod.safeParse(example).success, accepts(example)]).toEqual([false, false]);
  });
});

test('contracts: chunks that the published schema accepts are what workers take', async () => {
  for (const example of [...chunks.executions.examples, ...chunks.requests.examples])
    expect(parseChunk(asJson(example))).toMatchObject({ kind: 'chunk' });
  for (const example of chunks.compressed.examples) {
    const text = JSON.stringify(example);
    expect(readCompressedChunk(text)).toMatchObject({ count: example.count, bytes: example.bytes, data: example.data });
    const unwrapped = await unwrapChunk(text);
    const plain = JSON.parse(unwrapped.kind === 'plain' ? unwrapped.text : 'null');
    expect(plain.records).toHaveLength(example.count);
    expect(readPublished('execution-chunk').accepts(plain)).toBe(true);
  }
});

test('contracts: an entry that the published schema accepts is a health event, and means the same', () => {
  const entries = fc.record({
    game_id: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '\u0085', '\ufeff', 'g')),
    event_type: fc.constantFrom(...healthEventTypes, 'container_paused', ''),
    occurred_at_ms: fc.oneof(
      fc.nat().map(String),
      fc.constantFrom('0', '-1', '+1', '1e3', '', '9'.repeat(18), '9'.repeat(19)),
    ),
    container_id: fc.option(fc.string(), { nil: undefined }),
  });
  const { accepts } = readPublished('health-event');
  fc.assert(
    fc.property(entries, (entry) => {
      const published = asJson(entry) as Record<string, string>;
      expect(accepts(published)).toBe(healthEventSchema.safeParse(published).success);
      const event = readHealthEvent(Object.entries(published).flat());
      if (!accepts(published)) return;
      expect(event).toEqual({
        gameId: entry.game_id,
        type: entry.event_type,
        occurredAtMs: Number(entry.occurred_at_ms),
        containerId: entry.container_id || null,
      });
      expect(isUnreadable(event)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

/** The paths of the fields that have no description. */
function undescribed(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { properties?: Record<string, { description?: string }> };
  const own = Object.entries(properties).filter(([, field]) => !field.description);
  const deeper = Object.entries(schema).filter(([key]) => key !== 'examples');
  return [
    ...own.map(([name]) => `${path}/${name}`),
    ...deeper.flatMap(([key, part]) => undescribed(part, `${path}/${key}`)),
  ];
}
