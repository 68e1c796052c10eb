import type { RecordRun } from '../../shared/contracts/chunk.ts';
import { failedRecord, keptRecord, recordWithSpan } from './executions.ts';
import { begunRecord, completedRecord, requestWithSpan } from './requests.ts';

const origin = { producer: 'web-1', epoch: 1_772_600_000_000, life: '9f2c4e01ab' };

const examplesOf = (plain: readonly object[], withSpan: object, runs: readonly RecordRun[]) => [
  { v: 1, ...origin, seq: 7, records: plain },
  { v: 2, ...origin, seq: 8, records: [withSpan] },
  { v: 1, producer: 'web-1', epoch: 1_772_600_000_000, seq: 9, records: [plain[0]] },
  { v: 4, ...origin, seq: 10, before: 412, of: runs, records: plain },
  // The second half of the one before.
  { v: 4, ...origin, seq: 10, before: 412, of: runs, from: 1, records: plain.slice(1) },
];

const refusedOf = (record: object, foreign: object): Record<string, unknown> => {
  const good = { v: 1, ...origin, seq: 7, records: [record] };
  return {
    'no version': { ...good, v: undefined },
    'a version as text': { ...good, v: '1' },
    'an unknown version': { ...good, v: 99 },
    'no producer': { ...good, producer: '' },
    'an epoch as text': { ...good, epoch: '2026-03-04T05:06:07Z' },
    'a seq of 0': { ...good, seq: 0 },
    'no records': { ...good, records: [] },
    'a record that is none': { ...good, records: [record, null] },
    'a record of the other queue': { ...good, records: [foreign] },
  };
};

export const executions = {
  examples: examplesOf([keptRecord, failedRecord], recordWithSpan, [
    ['realm-1', 29_542_386, 1],
    [null, 29_542_386, 1],
  ]),
  counterExamples: refusedOf(keptRecord, begunRecord),
};

export const requests = {
  examples: examplesOf([begunRecord, completedRecord], requestWithSpan, [[null, 29_542_386, 2]]),
  counterExamples: refusedOf(completedRecord, keptRecord),
};

/** The members in the order that workers need. */
const envelope = {
  v: 3,
  ...origin,
  seq: 7,
  encoding: 'zstd',
  count: 4,
  bytes: 1_460,
  data: 'KLUv/WC0BDUKAJbWRCUgbZ0DoflBgo6VJ8wIzWyusTtGWIdXMiuR77ebXKcIJUEAAVgBOAA5AD0AT2P1/CZdAuHD9lzU7/nwJRo+3wCtNhOxSOP8jkjTUx32PMt/iFzVz6/S0BTnv46s5l71XP7EJQHnd3U9Fj7lJPg64YoTdLnp/EZwOXSEXoTPK6jqYpUd5UYfjCqLKg5Tdn4EaP1VZSiq+iiqqopGWBQdI9QRMmjrRX7rqYqA4JPxW0cr6goB2M1Rz4YtFj4soJwUoWe1Z7Ngy4eRklz1PIQ7H1oRcjgQBhgcBwEBkwWGWRbGcjJZaGwyNp9NZ7PZZDaXTba5m7rZSEY+6WSTTC7JclMh/Ou5CKWHqSd6uoQfrYqSYhUREgAFQBXgHAxQGXAEBqgHDvtaC7vGNPUSs7QuLTLJjOrWm7ubTgO3IghyFDKHQQb0',
};

export const compressed = {
  examples: [envelope],
  counterExamples: {
    'a version of plain chunks': { ...envelope, v: 1 },
    'a name with a space': { ...envelope, producer: 'web 1' },
    'an unknown encoding': { ...envelope, encoding: 'gzip' },
    'no count': { ...envelope, count: undefined },
    'more than 64 MiB': { ...envelope, bytes: 67_108_865 },
    'data that is no base64': { ...envelope, data: 'KLUv_WC0' },
    'records beside the data': { ...envelope, records: [] },
  },
};

const report = {
  number: 3,
  at: 1_772_600_191_000,
  kind: 'execution-observer',
  isFinal: false,
  lastSeq: 10,
  chunkedRecords: 414,
  waitingRecords: 12,
  unacknowledged: [[9, 10]],
  spilledRecords: 0,
  takenOverRecords: 0,
  totals: { recorded: 8_520, sampledOut: 8_094, chunked: 414, sent: 410 },
  minutes: [
    [29_543_336, 'realm-1', { recorded: 220, sampledOut: 200, chunked: 14, sent: 10 }],
    [29_543_336, null, { recorded: 3, chunked: 1, dropped: { 'buffer-full': 2 } }],
  ],
};

const reportJob = { v: 4, ...origin, report };

export const reports = {
  examples: [
    reportJob,
    { ...reportJob, report: { ...report, number: 4, isFinal: true, waitingRecords: 0, unacknowledged: [], minutes: [] } },
  ],
  counterExamples: {
    'a version of chunks without accounts': { ...reportJob, v: 1 },
    'no life': { ...reportJob, life: undefined },
    'records beside it': { ...reportJob, records: [] },
    'an unknown counter': { ...reportJob, report: { ...report, totals: { recieved: 1 } } },
    'a count below 0': { ...reportJob, report: { ...report, waitingRecords: -1 } },
    'a minute without counters': { ...reportJob, report: { ...report, minutes: [[29_543_336, 'realm-1']] } },
    'a time in seconds as text': { ...reportJob, report: { ...report, at: '1772600191' } },
    'no number': { ...reportJob, report: { ...report, number: undefined } },
  },
};
