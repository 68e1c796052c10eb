import { table, whole } from '../table.ts';
import { atMost, type Threshold, thresholdLines } from '../thresholds.ts';
import type { ReadResult, ReadsResult } from './measure.ts';

const mib = 1_048_576;

/** The figures as a text for people. */
export function toReadsReport(result: ReadsResult): string {
  const { rows, tableBytes, indexBytes, failures, day, everything, plans } = result;
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
    ...thresholdLines(readsThresholds(result)),
  ].join('\n');
}

/** The maximum time for a page of the console, with a million rows of one strategy. */
export function readsThresholds({ failures, day, everything }: ReadsResult): Threshold[] {
  const median = (most: number, { question, medianMs }: ReadResult) =>
    atMost(most, { what: `${question}, median`, value: medianMs, unit: 'ms' });
  return [median(10, failures), median(150, day), median(1_500, everything)];
}
