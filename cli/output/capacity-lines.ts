import type { CapacityPlan } from '../capacity/plan.ts';
import { toCount, toFigure } from './figures.ts';
import type { Line } from './line.ts';
import { toTable } from './table.ts';

export function toCapacityLines(plan: CapacityPlan, options: { columns: number | null }): Line[] {
  const { load, limits, redis, postgres, producers, workers } = plan;
  const megabytes = (load.recordsPerSecond * load.bytes) / 1_000_000;
  const source: Line = [
    { text: 'Costs of one machine: measure yours with `npm run bench -- scale`. See docs/scaling.md.', tone: 'faint' },
  ];
  return [
    `${toCount(load.recordsPerSecond)} records/s of ${toCount(load.bytes)} bytes are ${toFigure(megabytes)} MB/s`,
    '',
    ...toTable(
      [
        { title: 'what is reached first', cell: ({ name }) => name },
        { title: 'a record takes', cell: ({ cost }) => cost, align: 'right' },
        { title: 'records/s of one', cell: ({ perUnit }) => toFigure(perUnit), align: 'right' },
        { title: 'needed', cell: ({ needed, unit }) => count(needed, unit), align: 'right' },
        { title: 'when one is not enough', cell: ({ remedy }) => remedy, min: 20, optional: true },
      ],
      limits,
      options,
    ),
    '',
    `producers   ${count(producers, 'core')}, in the processes that record`,
    `Redis       ${count(redis.primaries, 'primary')}, SLUICE_QUEUE_SHARDS=${redis.shards}; ${toFigure(redis.memoryGib)} GiB after ${load.outageMinutes} min without PostgreSQL`,
    `workers     ${count(workers, 'process')}, ${count(postgres.connections, 'connection')} to PostgreSQL`,
    `PostgreSQL  ${count(postgres.servers, 'server')}, ${count(postgres.cores, 'core')}; ${toFigure(postgres.walMbPerSecond)} MB/s of WAL; ${toFigure(postgres.storedTib)} TiB after ${load.retentionDays} days`,
    '',
    conclusion(plan),
    source,
  ];
}

function conclusion({ limits }: CapacityPlan): string {
  const [first] = limits;
  if (first === undefined) return '';
  const at = `${first.name}, at ${toFigure(first.perUnit)} records/s`;
  return first.needed > 1
    ? `The first bottleneck is ${at}: ${first.remedy}.`
    : `One of each carries this. The first bottleneck will be ${at}.`;
}

const plurals: Record<string, string> = { process: 'processes', primary: 'primaries' };

function count(number: number, unit: string): string {
  return `${toCount(number)} ${number === 1 ? unit : (plurals[unit] ?? `${unit}s`)}`;
}
