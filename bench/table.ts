import type { CpuTimes } from './cpu-meter.ts';

/** The headings of `cpuCells`. */
export const cpuHead: readonly string[] = [
  'CPU µs a row: producer',
  'Redis',
  'workers',
  'Postgres',
  'all',
  'cores busy',
];

/** What a row costs, by process. */
export function cpuCells(cpu: CpuTimes, rowsPerSecond: number): string[] {
  const allUs = cpu.producer + cpu.redis + cpu.workers + cpu.postgres;
  const perRow = [cpu.producer, cpu.redis, cpu.workers, cpu.postgres, allUs].map((us) => us.toFixed(0));
  return [...perRow, ((allUs * rowsPerSecond) / 1_000_000).toFixed(1)];
}

/** A whole number, with commas. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Columns of equal width: text to the left in the first, figures to the right in the others. */
export function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
