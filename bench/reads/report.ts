import { table, whole } from '../table.ts';
import { atMost, type Threshold, thresholdLines } from '../thresholds.ts';
import type { ReadResult, ReadsResult } from './measure.ts';
import type { RequestReadResult } from './request-reads.ts';

const mib = 1_048_576;

/** The figures as a text for people. */
export function toReadsReport(result: ReadsResult): string {
  const { rows, tableBytes, indexBytes, failures, day, everything, plans, requests } = result;
  const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  const line = ({ question, sluiceMs, medianMs, originalMedianMs }: ReadResult): string[] => [
    question,
    ms(medianMs),
    `${ms(Math.min(...sluiceMs))}–${ms(Math.max(...sluiceMs))}`,
    ms(originalMedianMs),
    String(sluiceMs.length),
  ];
  return [
    `${whole(rows)} rows of one strategy, ${whole(tableBytes / mib)} MiB, of which ${whole(indexBytes / mib)} in indexes`,
    '',
    ...table([
      ['question', 'median ms', 'of all repetitions', "the original's way", 'times'],
      ...[failures, day, everything].map(line),
    ]),
    '',
    ...table([
      ['plan, by EXPLAIN ANALYZE', 'scans', 'entries read', 'returned', 'extra heap fetches', ''],
      ...plans.map(({ question, scans, read, given, heapFetches, holds }) => [
        question,
        scans.join(', '),
        whole(read),
        whole(given),
        whole(heapFetches),
        holds ? 'holds' : 'BROKEN',
      ]),
    ]),
    '',
    `${whole(requests.rows)} requests, ${whole(requests.tableBytes / mib)} MiB, of which ${whole(requests.indexBytes / mib)} in indexes`,
    '',
    ...table([
      ['question', 'median ms', 'of all repetitions', 'times'],
      ...[requests.day, requests.everything, ...requests.others].map(({ question, ms: times, medianMs }) => [
        question,
        ms(medianMs),
        `${ms(Math.min(...times))}–${ms(Math.max(...times))}`,
        String(times.length),
      ]),
    ]),
    '',
    ...thresholdLines(readsThresholds(result)),
  ].join('\n');
}

/** The maximum time for a page of the console, with a million rows of one strategy, and with a million requests. */
export function readsThresholds({ failures, day, everything, requests }: ReadsResult): Threshold[] {
  const median = (most: number, { question, medianMs }: ReadResult | RequestReadResult) =>
    atMost(most, { what: `${question}, median`, value: medianMs, unit: 'ms' });
  return [
    median(10, failures),
    median(150, day),
    median(1_500, everything),
    median(150, requests.day),
    median(1_500, requests.everything),
  ];
}
