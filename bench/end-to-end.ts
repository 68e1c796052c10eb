import { say } from '../local/steps.ts';
import type { Contender } from './contenders/contender.ts';
import { createCopy } from './contenders/copy.ts';
import { createCreateMany } from './contenders/create-many.ts';
import { createInsertStatement } from './contenders/insert-statement.ts';
import { createJobPerRow } from './contenders/job-per-row.ts';
import { createSluice, type SluiceContender } from './contenders/sluice.ts';
import { type CpuTimes, cpuPerRow } from './cpu-meter.ts';
import type { Rows } from './rows.ts';
import type { Stage } from './stage.ts';
import { median } from './statistics.ts';

/** How fast a contender got rows into the table. */
export interface ContenderResult {
  name: string;
  /** rows in one run */
  rows: number;
  /** from the first row handed over to the last one visible; the median of the rounds */
  rowsPerSecond: number;
  /** of each round, in order */
  rounds: number[];
  /** CPU µs per row, each the median of the rounds; null where the system does not tell */
  cpuUsPerRow: CpuTimes | null;
}

export interface EndToEndResult {
  sluice: { one: ContenderResult; two: ContenderResult };
  jobPerRow: ContenderResult;
  createMany: ContenderResult;
  insertStatement: ContenderResult;
  copy: ContenderResult;
}

const rounds = 3;

/** Share of a measured run that goes through unmeasured first: cold processes say nothing about a fleet that is up. */
const warmUpShare = 0.15;

/**
 * Lets all contenders store the same rows in the same table, round by round, so that what else goes on in the machine
 * meets all of them.
 *
 * @returns the figures, and Sluice with two workers, which stays up for the parts that follow
 * @throws Error when a contender lost a row or stored one too many
 */
export async function measureEndToEnd(
  stage: Stage,
  rows: Rows,
): Promise<{ results: EndToEndResult; fleet: SluiceContender }> {
  const contenders = {
    one: await createSluice(stage, 1),
    two: await createSluice(stage, 2),
    jobPerRow: await createJobPerRow(stage),
    createMany: createCreateMany(stage),
    insertStatement: createInsertStatement(stage),
    copy: await createCopy(stage, rows),
  };
  const all: Contender[] = Object.values(contenders);
  const runs = new Map<Contender, Run[]>(all.map((contender) => [contender, []]));
  for (const contender of all) await measureRun(stage, contender, rows, warmUpShare);
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of all) {
      const run = await measureRun(stage, contender, rows, 1);
      runs.get(contender)?.push(run);
      say(`round ${round} of ${rounds}: ${contender.name}: ${Math.round(run.rowsPerSecond)} rows/s`);
    }
  }
  const resultOf = (contender: Contender) => summarise(contender, runs.get(contender) ?? []);
  const results = {
    sluice: { one: resultOf(contenders.one), two: resultOf(contenders.two) },
    jobPerRow: resultOf(contenders.jobPerRow),
    createMany: resultOf(contenders.createMany),
    insertStatement: resultOf(contenders.insertStatement),
    copy: resultOf(contenders.copy),
  };
  return { results, fleet: contenders.two };
}

interface Run {
  rows: number;
  rowsPerSecond: number;
  cpu: CpuTimes | null;
}

async function measureRun(stage: Stage, contender: Contender, rows: Rows, part: number): Promise<Run> {
  await stage.reset();
  const count = Math.max(1, Math.round(rows.count * contender.share * part));
  const cpuBefore = stage.cpu.read(contender.workerPids());
  const startedAt = performance.now();
  await contender.store(rows, count);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuAfter = stage.cpu.read(contender.workerPids());

  const stored = await stage.countRows();
  if (stored !== count) throw new Error(`${contender.name}: ${count} rows were handed over, ${stored} are stored`);
  return { rows: count, rowsPerSecond: count / seconds, cpu: cpuPerRow(cpuBefore, cpuAfter, count) };
}

function summarise(contender: Contender, runs: readonly Run[]): ContenderResult {
  const cpu = runs.flatMap((run) => run.cpu ?? []);
  const medianOf = (process: keyof CpuTimes) => median(cpu.map((times) => times[process]));
  return {
    name: contender.name,
    rows: runs[0]?.rows ?? 0,
    rowsPerSecond: median(runs.map(({ rowsPerSecond }) => rowsPerSecond)),
    rounds: runs.map(({ rowsPerSecond }) => rowsPerSecond),
    cpuUsPerRow:
      cpu.length === 0
        ? null
        : {
            producer: medianOf('producer'),
            redis: medianOf('redis'),
            workers: medianOf('workers'),
            postgres: medianOf('postgres'),
          },
  };
}
