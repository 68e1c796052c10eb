import type { CpuTimes } from './cpu-meter.ts';
import type { ContenderResult } from './rounds.ts';

/**
 * Contenders side by side: how fast each is, and what a row costs, if the system tells.
 *
 * @param figures columns that follow from the rows per second, by their headings
 */
export function contenderTable(
  title: string,
  results: readonly ContenderResult[],
  figures: Readonly<Record<string, (rowsPerSecond: number) => string>>,
  { unit = 'rows', cpu = 'CPU µs a row: producer' } = {},
): string[] {
  const hasCpu = results.every(({ cpuUsPerRow }) => cpuUsPerRow !== null);
  const hasGateway = results.some(({ cpuUsPerRow }) => (cpuUsPerRow?.gateway ?? 0) > 0);
  const cpuHead = hasCpu
    ? [cpu, ...(hasGateway ? ['gateway'] : []), 'Redis', 'workers', 'Postgres', 'all', 'cores busy']
    : [];
  return table([
    [title, `${unit}/s`, 'of the rounds', ...Object.keys(figures), unit, ...cpuHead],
    ...results.map(({ name, rowsPerSecond, rounds, rows, cpuUsPerRow }) => [
      name,
      whole(rowsPerSecond),
      `${whole(Math.min(...rounds))}–${whole(Math.max(...rounds))}`,
      ...Object.values(figures).map((figure) => figure(rowsPerSecond)),
      whole(rows),
      ...(cpuUsPerRow === null ? [] : cpuCells(cpuUsPerRow, rowsPerSecond, hasGateway)),
    ]),
  ]);
}

/** What a row costs, by process. */
function cpuCells(cpu: CpuTimes, rowsPerSecond: number, hasGateway: boolean): string[] {
  const { producer, gateway, redis, workers, postgres } = cpu;
  const allUs = producer + gateway + redis + workers + postgres;
  const perRow = [producer, ...(hasGateway ? [gateway] : []), redis, workers, postgres, allUs].map((us) =>
    us.toFixed(0),
  );
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
