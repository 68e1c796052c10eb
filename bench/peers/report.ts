import { environmentLine } from '../environment.ts';
import type { ContenderResult } from '../rounds.ts';
import { contenderTable, whole } from '../table.ts';
import { atLeast, type Threshold, thresholdLines } from '../thresholds.ts';
import { coalescingSettings } from './coalescing.ts';
import { graphileSettings } from './graphile-worker.ts';
import type { PeersResult } from './measure.ts';
import { bossSettings } from './pg-boss.ts';

/** The figures as a text for people. */
export function toPeersReport(result: PeersResult): string {
  const { environment, packages, meanBytes, contenders } = result;
  const best = bestPeer(result);
  return [
    [
      environmentLine(environment),
      `rows of ${whole(meanBytes)} bytes of JSON on average`,
      ...packages.map(({ name, version, license }) => `${name} ${version} (${license})`),
    ],
    contenderTable('end to end', Object.values(contenders), {
      '× best peer': (rowsPerSecond) => (rowsPerSecond / best.rowsPerSecond).toFixed(2),
      '× COPY': (rowsPerSecond) => (rowsPerSecond / contenders.copy.rowsPerSecond).toFixed(2),
    }),
    settingsLines(),
    thresholdLines(peersThresholds(result)),
  ]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** Of the default fleet of two workers, against the best of all others. */
export function peersThresholds(result: PeersResult): Threshold[] {
  const { sluiceTwo, copy } = result.contenders;
  const best = bestPeer(result);
  return [
    atLeast(1.5, {
      what: `Sluice compared with ${best.name}, the goal`,
      value: sluiceTwo.rowsPerSecond / best.rowsPerSecond,
      unit: '×',
    }),
    atLeast(0.85, {
      what: 'Sluice compared with raw COPY, the goal',
      value: sluiceTwo.rowsPerSecond / copy.rowsPerSecond,
      unit: '×',
    }),
  ];
}

function bestPeer({ contenders: { graphileWorker, pgBoss, coalescing } }: PeersResult): ContenderResult {
  return [pgBoss, coalescing].reduce(
    (best, peer) => (peer.rowsPerSecond > best.rowsPerSecond ? peer : best),
    graphileWorker,
  );
}

function settingsLines(): string[] {
  return [
    "settings of the peers, which store with the insert statement of Sluice's workers",
    `graphile-worker: ${toText(graphileSettings)}; its table is vacuumed between two runs`,
    `pg-boss: ${toText(bossSettings)}, burstWhenBatchFull, useListenNotify, partition; its maintenance is off, and its jobs are deleted between two runs`,
    `the shape of Langfuse: ${toText(coalescingSettings)}; BullMQ, a job a row, acknowledged after its insert (Langfuse acknowledges before)`,
  ];
}

function toText(settings: Readonly<Record<string, number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
