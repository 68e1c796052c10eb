import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findRequestProblem } from '../../shared/contracts/completed-request-schema.ts';
import { findRecordProblem } from '../../shared/contracts/execution-schema.ts';
import { aGateway, anInput, aRequestInput } from '../support/a-gateway.ts';
import { metricValue } from '../support/metric-value.ts';

/** More of them: FUZZ_RUNS=1000000 */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_500);

const odd = fc.oneof(
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
  fc.constant('['.repeat(20_000) + ']'.repeat(20_000)),
);

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
      fc.option(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })), { nil: null }),
    )
    .map(([lines, separator, noise]) => {
      const bytes = Buffer.from(separator === ',' ? `[${lines.join(',')}]` : lines.join(separator));
      if (noise !== null && bytes.length > 0)
        bytes.set(noise[1].slice(0, bytes.length), noise[0] % Math.max(1, bytes.length - 3));
      return bytes;
    });

const paths = {
  '/v1/executions': bodyOf(record(anInput(), executionNames)),
  '/v1/executions?sample=true': bodyOf(record(anInput(), executionNames)),
  '/v1/requests': bodyOf(record(aRequestInput(), requestNames)),
};

const sending = fc.constantFrom(...(Object.keys(paths) as (keyof typeof paths)[])).chain((path) =>
  fc.record({
    path: fc.constant(path),
    body: paths[path],
    type: fc.constantFrom('application/json', 'application/x-ndjson'),
    encoding: fc.constantFrom('identity', 'gzip', 'gzip, cut', 'zstd'),
    key: fc.option(fc.constantFrom('k-1', 'k-2'), { nil: null }),
  }),
);

test('fuzz: whatever is sent, the answer is one of the page, and what is stored keeps its contract', async () => {
  const { send, stored, registry, log } = await aGateway({ SLUICE_API_KEY_PEPPER: 'a-pepper-of-16-chars' });
  const statuses = new Map<number, number>();
  const accepted = { executions: 0, requests: 0 };
  await fc.assert(
    fc.asyncProperty(sending, async ({ path, body, type, encoding, key }) => {
      const zipped = encoding.startsWith('gzip') ? gzipSync(body) : body;
      const bytes = encoding === 'gzip, cut' ? zipped.subarray(0, zipped.length >> 1) : zipped;
      const { status, body: answer } = await send(path, bytes, {
        headers: {
          'content-type': type,
          'content-encoding': encoding.split(',')[0] as string,
          ...(key === null ? {} : { 'idempotency-key': key }),
        },
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      expect([202, 400, 413], JSON.stringify(answer)).toContain(status);
      if (status === 202) accepted[path === '/v1/requests' ? 'requests' : 'executions'] += answer.accepted;
    }),
    { numRuns },
  );
  // Both happen, and neither is rare.
  expect(statuses.get(202)).toBeGreaterThan(numRuns / 10);
  expect(statuses.get(400)).toBeGreaterThan(numRuns / 10);
  // Of a body that breaks off, what came before is stored, and counted as such.
  const unconfirmed = (kind: string) =>
    metricValue(registry, 'sluice_gateway_records_total', { sender: 'anonymous', kind, outcome: 'unconfirmed' });
  const executions = await stored();
  expect(executions.length).toBe(accepted.executions + (await unconfirmed('executions')));
  expect(executions.map(findRecordProblem).filter((problem) => problem !== null)).toEqual([]);
  const requests = await stored('requests');
  expect(requests.length).toBe(accepted.requests + (await unconfirmed('requests')));
  expect(requests.map(findRequestProblem).filter((problem) => problem !== null)).toEqual([]);
  expect(executions.length).toBeGreaterThan(numRuns / 20);
  expect(requests.length).toBeGreaterThan(numRuns / 20);
  expect(log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)) ?? 'null';
  } catch {
    return 'null';
  }
}
