import { table, whole } from '../table.ts';
import type { Threshold } from '../thresholds.ts';
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
    ...table([
      ['threshold', 'measured', 'required', ''],
      ...readsThresholds(result).map(({ what, value, unit, most, holds }) => [
        what,
        `${value.toFixed(1)} ${unit}`,
        `≤ ${most} ${unit}`,
        holds ? 'holds' : 'MISSED',
      ]),
    ]),
  ].join('\n');
}

/** The maximum time for a page of the console, with a million rows of one strategy. */
export function readsThresholds({ failures, day, everything }: ReadsResult): Threshold[] {
  return [toThreshold(failures, 10), toThreshold(day, 150), toThreshold(everything, 1_500)];
}

function toThreshold({ question, medianMs }: ReadResult, most: number): Threshold {
  return { what: `${question}, median`, value: medianMs, unit: 'ms', most, holds: medianMs <= most };
}
