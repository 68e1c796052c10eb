import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findRequestProblem } from '../../shared/contracts/completed-request-schema.ts';
import { findRecordProblem } from '../../shared/contracts/execution-schema.ts';
import { aGateway, anInput, aRequestInput } from '../support/a-gateway.ts';
import { until } from '../support/fixtures.ts';
import { metricValue } from '../support/metric-value.ts';

/** How many bodies are sent, about. More of them: FUZZ_RUNS=1000000 */
const bodies = Number(process.env['FUZZ_RUNS'] ?? 3_000);
/** Each body that is made is also sent with damage of so many kinds, because to make one takes longer than to send ten. */
const damagesEach = 9;
const numRuns = Math.ceil(bodies / (1 + damagesEach));
/** Redis need not hold a million of them. */
const checkEvery = 500;

const oddValue = fc.oneof(
  fc.anything({ maxDepth: 3, withNullPrototype: false }).map((value) => jsonOf(value)),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '1e999',
    '-0',
    '9007199254740993',
    '"\\u0000"',
    '"\\ud800"',
    '{"__proto__":{"a":1}}',
    '{"length":{}}',
  ),
  fc.constantFrom('"2026-05-01T10:00:00Z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59-12:00"', '253402214399999'),
);
/** As large as a thousand others. */
const deep = fc.constant('['.repeat(20_000) + ']'.repeat(20_000));
const odd = fc.oneof({ arbitrary: oddValue, weight: 40 }, { arbitrary: deep, weight: 1 });

const namesOf = (names: readonly string[]) =>
  fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 15 }, { arbitrary: fc.string(), weight: 1 });

/** A good record of which some fields are replaced, and some added. */
const record = (good: object, names: readonly string[]): fc.Arbitrary<string> =>
  fc.dictionary(namesOf(names), odd, { maxKeys: 2 }).map((changes) => {
    const fields = Object.entries(good).map(([name, value]): [string, string] => [name, JSON.stringify(value)]);
    const all = [...new Map([...fields, ...Object.entries(changes)])];
    return `{${all.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  });

const executionNames = [
  'id',
  'recordedAt',
  'strategyId',
  'status',
  'durationMs',
  'trace',
  'input',
  'points',
  'notes',
  'attempt',
  'sampleRate',
  'traceLength',
  'traceId',
  'spanId',
  'errorMessage',
  '__proto__',
  'constructor',
  'toJSON',
];
const requestNames = [
  'requestId',
  'createdBy',
  'model',
  'endpoint',
  'startedAt',
  'completedAt',
  'statusCode',
  'requestBody',
  'responseBody',
  'requestEncoding',
  'responseEncoding',
  'apiKey',
  'apiKeyHash',
  'isStream',
  'notes',
  '__proto__',
];

const bodyOf = (records: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(fc.oneof({ arbitrary: records, weight: 6 }, { arbitrary: odd, weight: 1 }), { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\n\n', ','),
    )
    .map(([lines, separator]) => Buffer.from(separator === ',' ? `[${lines.join(',')}]` : lines.join(separator)));

interface Damage {
  kind: 'overwrite' | 'insert' | 'remove' | 'repeat' | 'cut';
  at: number;
  length: number;
  bytes: Buffer;
}

/** What may happen to bytes on their way. */
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom<Damage['kind'][]>('overwrite', 'insert', 'remove', 'repeat', 'cut'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '\n', '0', '-', 'e9', '\\u00', 'null')
      .map((text) => Buffer.from(text)),
  ),
});

function withDamage(body: Buffer, { kind, at, length, bytes }: Damage): Buffer {
  const from = at % (body.length + 1);
  const [before, after] = [body.subarray(0, from), body.subarray(from)];
  const parts = {
    overwrite: [before, bytes, after.subarray(bytes.length)],
    insert: [before, bytes, after],
    remove: [before, after.subarray(length)],
    repeat: [before, after.subarray(0, length), after],
    cut: [before],
  };
  return Buffer.concat(parts[kind]);
}

const paths = {
  '/v1/executions': bodyOf(record(anInput(), executionNames)),
  '/v1/executions?sample=true': bodyOf(record(anInput(), executionNames)),
  '/v1/requests': bodyOf(record(aRequestInput(), requestNames)),
};

interface Sending {
  path: keyof typeof paths;
  body: Buffer;
  type: string;
  /** what the header says, and what is wrong with the body */
  encoding: string;
  key: string | null;
  damages: Damage[];
}

const sending: fc.Arbitrary<Sending> = fc
  .constantFrom(...(Object.keys(paths) as (keyof typeof paths)[]))
  .chain((path) =>
    fc.record({
      path: fc.constant(path),
      body: paths[path],
      type: fc.constantFrom('application/json', 'application/x-ndjson'),
      encoding: fc.constantFrom('identity', 'identity', 'gzip', 'gzip, cut', 'gzip, plain', 'zstd', 'zstd, cut'),
      key: fc.option(fc.constantFrom('k-1', 'k-2'), { nil: null }),
      damages: fc.array(damage, { minLength: damagesEach, maxLength: damagesEach }),
    }),
  );

const expected: ReadonlySet<number> = new Set([202, 400, 413]);
const pack: Record<string, (body: Buffer) => Buffer> = { gzip: gzipSync, zstd: zstdCompressSync };
const problemOf = { executions: findRecordProblem, requests: findRequestProblem };
type Kind = keyof typeof problemOf;

test('fuzz: whatever is sent, the answer is one of the page, and what is stored keeps its contract', async () => {
  const { send, takeStored, registry, log } = await aGateway({ SLUICE_API_KEY_PEPPER: 'a-pepper-of-16-chars' });
  const statuses = new Map<number, number>();
  const [accepted, stored] = [
    { executions: 0, requests: 0 },
    { executions: 0, requests: 0 },
  ];
  const sendBody = async (body: Buffer, { path, type, encoding, key }: Sending) => {
    const [coding = '', flaw] = encoding.split(', ');
    const packed = flaw === 'plain' ? body : (pack[coding]?.(body) ?? body);
    const bytes = flaw === 'cut' ? packed.subarray(0, packed.length >> 1) : packed;
    const headers = {
      'content-type': type,
      'content-encoding': coding,
      ...(key === null ? {} : { 'idempotency-key': key }),
    };
    const { status, body: answer } = await send(path, bytes, { headers });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (!expected.has(status)) throw new Error(`${status} ${JSON.stringify(answer)}`);
    if (status === 202) accepted[path === '/v1/requests' ? 'requests' : 'executions'] += answer.accepted;
  };
  const problems: unknown[] = [];
  /** Of a body that breaks off, what came before is stored, if only after the answer, and counted as such. */
  const due = async (kind: Kind) => {
    const labels = { sender: 'anonymous', kind, outcome: 'unconfirmed' };
    return accepted[kind] + (await metricValue(registry, 'sluice_gateway_records_total', labels));
  };
  const checkStored = async () => {
    for (const kind of Object.keys(problemOf) as Kind[]) {
      await until(async () => {
        const records = await takeStored(kind);
        stored[kind] += records.length;
        problems.push(...records.map(problemOf[kind]).filter((problem) => problem !== null));
        return stored[kind] >= (await due(kind));
      });
      expect(problems).toEqual([]);
      expect(stored[kind]).toBe(await due(kind));
    }
  };
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(sending, async (one) => {
      await Promise.all(
        [one.body, ...one.damages.map((each) => withDamage(one.body, each))].map((body) => sendBody(body, one)),
      );
      runs += 1;
      if (runs % checkEvery === 0) await checkStored();
    }),
    { numRuns },
  );
  await checkStored();
  // Both happen, and neither is rare.
  expect(statuses.get(202)).toBeGreaterThan(bodies / 20);
  expect(statuses.get(400)).toBeGreaterThan(bodies / 20);
  expect(stored.executions).toBeGreaterThan(bodies / 100);
  expect(stored.requests).toBeGreaterThan(bodies / 100);
  expect(log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)) ?? 'null';
  } catch {
    return 'null';
  }
}
