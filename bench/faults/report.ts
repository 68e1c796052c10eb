import { table, whole } from '../table.ts';
import type { FaultResult } from './scenario.ts';

/** The results as a text for people. */
export function toFaultReport(results: readonly FaultResult[]): string {
  const head = [
    'fault, under load',
    'recorded',
    'stored',
    'lost',
    'duplicated',
    'dead',
    'failed',
    'stalls',
    'drained after',
  ];
  const lines = results.map((result) => [
    result.scenario,
    ...[result.recorded, result.stored, result.lost, result.duplicated].map(whole),
    ...[result.deadLetters, result.failed, result.stalls].map(whole),
    `${result.drainSeconds.toFixed(1)} s`,
  ]);
  const [headLine = '', ...resultLines] = table([head, ...lines]);
  return [headLine, ...resultLines.map((line, index) => `${line}  ${results[index]?.extra ?? ''}`)].join('\n');
}
