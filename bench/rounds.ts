import { say } from '../dev/steps.ts';
import type { Contender } from './contenders/contender.ts';
import { type CpuMeter, type CpuTimes, cpuPerRow } from './cpu-meter.ts';
import { median } from './statistics.ts';
import type { Testbed } from './testbed.ts';

/** How fast a contender stored rows in the table. */
export interface ContenderResult {
  name: string;
  /** rows in one run */
  rows: number;
  /** from passing on the first row to the last one being visible; the median of the rounds */
  rowsPerSecond: number;
  /** of each round, in order */
  rounds: number[];
  /** CPU µs per row, each the median of the rounds; null if the system does not tell */
  cpuUsPerRow: CpuTimes | null;
}

/** Where all contenders store their rows. */
export interface TargetStore {
  /** empties it and writes a checkpoint, so that no run pays for the one before it */
  reset(): Promise<void>;
  countRows(): Promise<number>;
}

/** One run of a contender. */
export interface Run {
  rows: number;
  rowsPerSecond: number;
  /** per row */
  cpu: CpuTimes | null;
}

/**
 * Lets a contender store the first `count` rows in an empty place.
 *
 * @throws Error if it lost a row or stored one too many
 */
export async function measureRun<Rows>(
  { cpu, target, contender }: { cpu: CpuMeter; target: TargetStore; contender: Contender<Rows> },
  rows: Rows,
  count: number,
): Promise<Run> {
  await target.reset();
  await contender.prepare?.(rows, count);
  const readCpu = () => cpu.read(contender.workerPids(), contender.gatewayPids?.());
  const cpuBefore = readCpu();
  const startedAt = performance.now();
  await contender.store(rows, count);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuAfter = readCpu();

  const stored = await target.countRows();
  if (stored !== count) throw new Error(`${contender.name}: ${count} rows were passed on, ${stored} are stored`);
  return { rows: count, rowsPerSecond: count / seconds, cpu: cpuPerRow(cpuBefore, cpuAfter, count) };
}

const rounds = 3;

/** The share of a measured run that is first run unmeasured: cold processes say nothing about a running fleet. */
export const warmUpShare = 0.15;

/**
 * Lets all contenders store the same rows in the same place, round by round, so that other activity on the machine affects all of
 * them.
 *
 * @returns the results by contender
 * @throws Error if a contender lost a row or stored one too many
 */
export async function measureRounds<Rows extends { count: number; unit?: string }, Name extends string>(
  { cpu }: Pick<Testbed, 'cpu'>,
  target: TargetStore,
  rows: Rows,
  contenders: Readonly<Record<Name, Contender<Rows>>>,
): Promise<Record<Name, ContenderResult>> {
  const all = Object.entries(contenders) as [Name, Contender<Rows>][];
  const runs = new Map<Name, Run[]>(all.map(([name]) => [name, []]));

  const runPart = (contender: Contender<Rows>, part: number): Promise<Run> =>
    measureRun({ cpu, target, contender }, rows, Math.max(1, Math.round(rows.count * contender.share * part)));

  for (const [, contender] of all) await runPart(contender, warmUpShare);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, contender] of all) {
      const run = await runPart(contender, 1);
      runs.get(name)?.push(run);
      say(`round ${round} of ${rounds}: ${contender.name}: ${Math.round(run.rowsPerSecond)} ${rows.unit ?? 'rows'}/s`);
    }
  }
  return Object.fromEntries(
    all.map(([name, contender]) => [name, summarise(contender.name, runs.get(name) ?? [])]),
  ) as Record<Name, ContenderResult>;
}

/** The medians of a contender's runs. */
export function summarise(name: string, runs: readonly Run[]): ContenderResult {
  const cpu = runs.flatMap((run) => run.cpu ?? []);
  const medianOf = (process: keyof CpuTimes) => median(cpu.map((times) => times[process]));
  return {
    name,
    rows: runs[0]?.rows ?? 0,
    rowsPerSecond: median(runs.map(({ rowsPerSecond }) => rowsPerSecond)),
    rounds: runs.map(({ rowsPerSecond }) => rowsPerSecond),
    cpuUsPerRow:
      cpu.length === 0
        ? null
        : {
            producer: medianOf('producer'),
            gateway: medianOf('gateway'),
            redis: medianOf('redis'),
            workers: medianOf('workers'),
            postgres: medianOf('postgres'),
          },
  };
}
