import { environmentLine } from '../environment.ts';
import { noise, verdict } from '../growth/report.ts';
import { contenderTable, table, whole } from '../table.ts';
import { atLeast, atMost, type Threshold, thresholdLines } from '../thresholds.ts';
import { crowd } from './crowd.ts';
import type { CrowdMemory } from './crowd-memory.ts';
import type { GatewayResult } from './measure.ts';

/** The figures as a text for people. */
export function toGatewayReport(result: GatewayResult): string {
  const { environment, meanBytes, contenders, memory } = result;
  const { sdk, identity, gzip } = contenders;
  return [
    [
      environmentLine(environment),
      `rows of ${whole(meanBytes)} bytes of JSON on average; NDJSON bodies of 500 over two connections; 2 workers`,
    ],
    contenderTable(
      'end to end',
      [sdk, identity, gzip],
      { '× SDK': (rowsPerSecond) => (rowsPerSecond / sdk.rowsPerSecond).toFixed(2) },
      { cpu: 'CPU µs a row: sender' },
    ),
    ...(memory === null ? [] : [memoryLines(memory)]),
    thresholdLines(gatewayThresholds(result)),
  ]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

export function gatewayThresholds({ contenders: { sdk, identity, gzip }, memory }: GatewayResult): Threshold[] {
  const ratios = [identity, gzip].map(({ name, rowsPerSecond }) =>
    atLeast(0.6, { what: `${name}, compared with the SDK`, value: rowsPerSecond / sdk.rowsPerSecond, unit: '×' }),
  );
  if (memory === null) return ratios;
  const { slope, standardError } = memory.gateway;
  const what = 'growth of the memory of the gateway beside the crowd, in standard errors';
  return [...ratios, atMost(noise, { what, value: slope / standardError, unit: '×' })];
}

function memoryLines({ rowsPerSecond, minutes, connections, gateway }: CrowdMemory): string[] {
  const { samples, firstMb, lastMb, slope, standardError } = gateway;
  const { idle, slow, hostile } = crowd;
  return table([
    [
      `${minutes} minutes at ${whole(rowsPerSecond)} rows/s beside ${idle} idle, ${slow} slow, ${hostile} hostile`,
      'MB, first',
      'last',
      'slope, MB an hour',
      '± standard error',
      'samples',
      'connections',
      '',
    ],
    [
      'memory of the gateway',
      firstMb.toFixed(0),
      lastMb.toFixed(0),
      slope.toFixed(1),
      standardError.toFixed(1),
      whole(samples),
      whole(connections),
      verdict(slope / standardError),
    ],
  ]);
}
