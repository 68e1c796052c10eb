import { expect, test } from 'vitest';
import { hugeChars } from '../../../producers/core/storable-json.ts';
import { type RecordContext, toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { captureCompletedRequest } from '../../../producers/requests/request-record.ts';
import { type ExecutionRecord, executionRecordSchema } from '../../../shared/contracts/execution-schema.ts';
import { anExecution } from '../../support/execution.ts';
import { aRequest } from '../../support/request.ts';

/** What a record of 64 KiB may have room for, with what is read again when it has to be cut. */
const fewReads = 60_000;

const context: RecordContext = { nowMs: 0, sampleRate: 1, traceLimit: 200, maxBytes: 65_536 };

function recordOf(fields: object, more: Partial<RecordContext> = {}): ExecutionRecord {
  const { json, bytes } = toExecutionRecord(anExecution(fields), { ...context, ...more });
  expect(bytes).toBeLessThanOrEqual(65_536);
  return executionRecordSchema.parse(JSON.parse(json));
}

/** Counts what is asked of it. */
function aCounter() {
  const counts = { reads: 0, listings: 0 };
  return {
    counts,
    watch<T extends object>(target: T): T {
      return new Proxy(target, {
        get(of, key) {
          if (key !== 'length' && key !== 'toJSON') counts.reads += 1;
          return Reflect.get(of, key);
        },
        ownKeys(of) {
          counts.listings += 1;
          return Reflect.ownKeys(of);
        },
      });
    },
  };
}

const wide = (keys: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key${index}`, index]));

test('work: of an object with 100,000 keys the first are read, its keys are listed once, and the notes say so', () => {
  const { counts, watch } = aCounter();
  const input = watch(wide(100_000));
  const record = recordOf({ status: 'error', input });
  expect(counts.reads).toBeLessThan(12_000);
  expect(counts.listings).toBe(1);
  expect(record.input).toMatchObject({ key0: 0, key1: 1 });
  expect(record.notes).toMatch(/input: cut from 100000 to \d+ keys/);
});

test('work: the keys of one object are not listed again for the next record, and its values are those of now', () => {
  const { counts, watch } = aCounter();
  const target = wide(20_000);
  const input = watch(target);
  recordOf({ status: 'error', input });
  target['key0'] = 5;
  expect(recordOf({ status: 'error', input }).input).toMatchObject({ key0: 5, key1: 1 });
  expect(counts.listings).toBe(1);
  // Its keys are others now.
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, { only: 1 });
  expect(recordOf({ status: 'error', input }).input).toEqual({ only: 1 });
});

test.each<[string, (counter: ReturnType<typeof aCounter>) => unknown]>([
  ['a list of 100,000 values', ({ watch }) => watch(Array.from({ length: 100_000 }, (_, index) => index))],
  [
    '100,000 wide values behind each other',
    ({ watch }) => Array.from({ length: 100_000 }, () => watch({ a: 'x', b: [1] })),
  ],
  [
    'a list of lists',
    ({ watch }) => {
      const list = watch(Array.from({ length: 2_000 }, (_, index) => index));
      return Array.from({ length: 2_000 }, () => list);
    },
  ],
  ['texts that are long together', ({ watch }) => watch(Array.from({ length: 50_000 }, () => 'x'.repeat(1_000)))],
  [
    'an object whose getters count',
    ({ counts }) => {
      const target = {};
      for (let index = 0; index < 30_000; index += 1)
        Object.defineProperty(target, `key${index}`, {
          enumerable: true,
          get: () => {
            counts.reads += 1;
            return 'a value';
          },
        });
      return target;
    },
  ],
  [
    'a Map that never ends',
    ({ counts }) => {
      class Endless extends Map<number, number> {
        override *[Symbol.iterator](): MapIterator<[number, number]> {
          for (;;) {
            counts.reads += 1;
            yield [1, 1];
          }
        }
      }
      return new Endless();
    },
  ],
])('work: of %s no more is read than the record has room for', (_kind, make) => {
  const counter = aCounter();
  const record = recordOf({ status: 'error', input: make(counter) });
  expect(counter.counts.reads).toBeLessThan(fewReads);
  expect(record.input ?? record.notes).toBeDefined();
});

test.each([200, 0])(
  'work: of a trace of a million entries the first and the last are read, with a limit of %d',
  (traceLimit) => {
    const { counts, watch } = aCounter();
    const trace = watch(Array.from({ length: 1_000_000 }, (_, index) => index));
    const record = recordOf({ trace }, { traceLimit });
    expect(counts.reads).toBeLessThan(100_000);
    expect(record.traceLength).toBe(1_000_000);
    expect(record.trace?.[0]).toBe(0);
    expect(record.trace?.at(-1)).toBe(999_999);
  },
);

test.each([200, 0])(
  'work: a trace that is mostly holes, or has an iterator without end, is read all the same, with a limit of %d',
  (traceLimit) => {
    const sparse: unknown[] = [];
    sparse[2 ** 32 - 2] = 'last';
    expect(recordOf({ trace: sparse }, { traceLimit }).trace?.at(-1)).toBe('last');
    expect(recordOf({ input: sparse }, { traceLimit }).notes).toContain('input');
    const endless = Object.assign([1, 2, 3], {
      *[Symbol.iterator]() {
        for (;;) yield 1;
      },
    });
    expect(recordOf({ trace: endless }, { traceLimit }).trace).toEqual([1, 2, 3]);
  },
);

test('work: a huge text is not looked at in any field, and the notes say how long it was', () => {
  const text = 'x'.repeat(hugeChars + 1);
  for (const name of [
    'errorMessage',
    'errorCode',
    'caseName',
    'input',
    'points',
    'recordedAt',
    'id',
    'attempt',
    'status',
  ]) {
    const record = recordOf({ status: 'error', [name]: text });
    expect(record.notes).toContain(name);
  }
  expect(recordOf({ input: { a: text, b: 1 } }).input).toEqual({ a: `[text of ${text.length} characters]`, b: 1 });
  expect(recordOf({ input: new Error(text) }).input).toBe(`Error: [text of ${text.length} characters]`);
});

test('work: a long text is cut before it is looked at', () => {
  const text = `${'x'.repeat(5_000)}\0${'y'.repeat(10_000_000)}`;
  const { errorMessage, input } = recordOf({ status: 'error', errorMessage: text, input: text });
  expect(errorMessage).toBe('x'.repeat(4_096));
  expect(String(input)).toHaveLength(1_025);
});

test('work: a BigInt with a million digits, and a list as a text, are not written out', () => {
  const number = 10n ** 100_000n;
  const list = Array.from({ length: 100_000 }, (_, index) => index);
  const record = recordOf({ status: 'error', input: { number }, caseName: number, errorCode: list, points: list });
  expect(record).toMatchObject({ input: { number: '[bigint]' }, caseName: '[bigint]', errorCode: '[array]' });
});

test('work: a boxed text is a text, and bytes are not listed', () => {
  expect(recordOf({ input: [new String('abc'), Buffer.alloc(1_000_000)] }).input).toEqual(['abc', '[1000000 bytes]']);
});

test('work: an object of a plain record that is wide and fits is kept whole', () => {
  const input = wide(2_000);
  const record = recordOf({ input });
  expect(record.input).toEqual(input);
  expect(record.notes).toBeUndefined();
});

test('work: of a request whose body is an object no more is read than is kept', () => {
  const { counts, watch } = aCounter();
  const body = watch(wide(100_000)) as unknown as string;
  const request = { nowMs: 0, maxBodyBytes: 10_000, hashApiKey: null, stripRequestKeys: [] };
  const { json } = captureCompletedRequest(aRequest({ responseBody: body }), request).write();
  expect(counts.reads).toBeLessThan(2_000);
  expect(JSON.parse(json).responseBody).toMatch(/^\{"key0":0,/);
});

test('work: of a huge body the beginning is kept, and its size is what it is at least', () => {
  const body = `€${'x'.repeat(hugeChars)}`;
  const request = { nowMs: 0, maxBodyBytes: 1_024, hashApiKey: null, stripRequestKeys: [] };
  const { json } = captureCompletedRequest(aRequest({ responseBody: body }), request).write();
  expect(JSON.parse(json)).toMatchObject({
    responseBody: `€${'x'.repeat(1_021)}`,
    responseBytes: hugeChars + 3,
    responseCut: true,
    notes: expect.stringContaining('too long to be counted'),
  });
});
