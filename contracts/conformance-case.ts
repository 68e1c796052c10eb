import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where a service sends something. */
const destinations = ['executions', 'requests', 'begin'] as const;
export type Destination = (typeof destinations)[number];

/** Ways from a service to a table that are held against the kit. */
const faces = ['sdk', 'gateway', 'python', 'job'] as const;
export type Face = (typeof faces)[number];

/** The members of `expectOf` that count for a face, the first one that is there; `client` is what runs inside the service. */
const members = {
  sdk: ['sdk', 'client'],
  python: ['python', 'client'],
  gateway: ['gateway'],
  job: ['job'],
} as const satisfies Record<Face, readonly string[]>;

const expectation = z.strictObject({
  row: z.record(z.string(), z.unknown()).nullable(),
  notes: z.array(z.string()).optional(),
  refused: z.string().optional(),
});

const sent = z.union([
  z.strictObject({ to: z.enum(destinations), input: z.unknown() }),
  z.strictObject({ to: z.enum(destinations), json: z.string() }),
]);

const caseSchema = z.strictObject({
  name: z.string().min(1),
  send: z.array(sent).min(1),
  find: z.record(z.string(), z.string()),
  expect: expectation,
  expectOf: z.partialRecord(z.enum(['client', ...faces]), expectation).optional(),
});

export type ConformanceCase = z.infer<typeof caseSchema>;
export type Expectation = z.infer<typeof expectation>;

/** What is expected of a case on this way. */
export function expectedOf({ expect, expectOf = {} }: ConformanceCase, face: Face): Expectation {
  const named: readonly ('client' | Face)[] = members[face];
  return named.map((member) => expectOf[member]).find((expected) => expected !== undefined) ?? expect;
}

const files = ['executions', 'requests', 'begin'] as const;

/** All cases of the kit. @throws ZodError when a file is not in the form that README.md describes */
export function readCases(): ConformanceCase[] {
  return files.flatMap((name) =>
    z.array(caseSchema).parse(JSON.parse(readFileSync(new URL(`conformance/${name}.json`, import.meta.url), 'utf8'))),
  );
}

/** What a service sends, as JSON text. */
export function jsonOf(sending: ConformanceCase['send'][number]): string {
  return 'json' in sending ? sending.json : JSON.stringify(generate(sending.input));
}

/** The value with what its generators stand for: `{"$repeat": "ab", "times": 3}`, `{"$list": 1, "times": 3}` and `{"$nest": 3}`. */
export function generate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(generate);
  if (typeof value !== 'object' || value === null) return value;
  const { $repeat, $list, $nest, times } = value as Record<string, unknown>;
  if (typeof $repeat === 'string') return $repeat.repeat(Number(times));
  if ($list !== undefined) return Array.from({ length: Number(times) }, () => generate($list));
  if (typeof $nest === 'number') return nested($nest);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, generate(part)]));
}

function nested(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}
