import type { Comparison } from '../../queries/executions/compare.ts';
import type { Mean, Tally } from '../../queries/executions/estimates.ts';
import type { Percentile } from '../../queries/executions/percentiles.ts';
import type { StrategyAnswer, StrategyFigures } from '../../queries/executions/strategy.ts';
import type { ExecutionWindow } from '../../queries/executions/window.ts';
import type { Absent } from '../../queries/ledger/absent.ts';
import { executionStatuses } from '../../shared/contracts/execution.ts';
import { inBrackets, none, toAge, toCount, toFigure, toPercentage, withSign } from './figures.ts';
import type { Line, Span } from './line.ts';
import { sumNeighbours, toSparkline } from './sparkline.ts';
import { toTable } from './table.ts';

/** Next to a value that is based on too few rows to draw conclusions from. */
const tooFewMark = '(too few rows)';

/** With what people call its strategy, if it has a name. */
type Named<T> = T & { strategyName?: string | null };

/** Figures of a strategy over a window, for a person. @param options.columns of the terminal; null: there is none */
export function toStrategyLines(
  answer: Named<StrategyAnswer> & { absent: Absent | null },
  options: { columns: number | null },
): Line[] {
  const { summary, errorCodes, cases, durations } = answer;
  const { total, failed, failureRate, points } = summary;
  const title = heading(`strategy ${answer.strategyId}${inBrackets(answer.strategyName)}`);
  if (total.rows === 0) {
    return [title, `window    ${toWindow(answer.window)}`, 'no stored runs', ...toAbsentLines(answer.absent)];
  }
  const margin = failureRate.margin === null ? '' : ` ± ${toPercentage(failureRate.margin)}`;
  return [
    title,
    `window    ${toWindow(answer.window)}`,
    `runs      ${toRuns(total)}`,
    [
      'failures  ',
      `${toRuns(failed)}, ${toPercentage(failureRate.value)}${margin} of all runs`,
      mark(failureRate.tooFew),
    ],
    [
      'points    ',
      `${toFigure(points.mean)}${toMargin(points.margin)} on average, ${toFigure(points.min)} to ${toFigure(points.max)}, ${toFigure(points.sum)} in total`,
      mark(points.rows > 0 && points.tooFew),
    ],
    ...toAbsentLines(answer.absent),
    '',
    ...toSeriesLines(answer, options),
    '',
    ...toTable(
      [
        { title: 'status', cell: ({ status }) => status },
        { title: 'runs', cell: ({ runs }) => toCount(runs), align: 'right' },
        {
          title: 'stored rows',
          cell: ({ rows, nodes }) => `${toCount(rows)}${nodes.tooFew ? ` ${tooFewMark}` : ''}`,
          align: 'right',
        },
        { title: 'mean ms', cell: ({ durationMs }) => toFigure(durationMs.mean), align: 'right' },
        { title: 'max ms', cell: ({ durationMs }) => toFigure(durationMs.max), align: 'right', optional: true },
        { title: 'mean nodes', cell: ({ nodes }) => toFigure(nodes.mean), align: 'right', optional: true },
      ],
      executionStatuses.map((status) => ({ status, ...summary.statuses[status] })).filter(({ rows }) => rows > 0),
      options,
    ),
    '',
    ...toTable(
      [
        { title: 'duration (ms)', cell: ({ name }) => name },
        { title: 'p50', cell: ({ p50 }) => toPercentile(p50) },
        { title: 'p95', cell: ({ p95 }) => toPercentile(p95) },
        { title: 'p99', cell: ({ p99 }) => toPercentile(p99) },
      ],
      [
        { name: 'ok', ...durations.ok },
        { name: 'failed', ...durations.failed },
      ],
      options,
    ),
    '',
    ...toTallies('error', [
      ...errorCodes.codes.map(({ code, ...tally }) => ({ name: code, ...tally })),
      { name: '(other codes)', ...errorCodes.others },
      { name: '(no code)', ...errorCodes.withoutCode },
    ])(options),
    ...toTallies('case (ok runs)', [
      ...cases.cases.map(({ caseName, ...tally }) => ({ name: caseName, ...tally })),
      { name: '(other cases)', ...cases.others },
      { name: '(no case)', ...cases.unmatched },
    ])(options),
  ];
}

/** What of the window has no row, and what that could mean. */
function toAbsentLines(absent: Absent | null, name = 'absent'): Line[] {
  if (absent === null) return [];
  const { records, dropped, refused, dead, notArrived, failureRate } = absent;
  const parts = [
    [dropped, 'dropped'],
    [refused, 'refused by Redis'],
    [dead, 'dead letters'],
    [notArrived, 'in flight or missing'],
  ] as const;
  const named = parts.flatMap(([count, text]) => (count === 0 ? [] : [`${toCount(count)} ${text}`])).join(', ');
  const range =
    failureRate === null
      ? ''
      : `; with them, ${toPercentage(failureRate.low)} to ${toPercentage(failureRate.high)} of all runs may have failed`;
  return [
    [
      `${name.padEnd(10)}`,
      {
        text: `${toCount(records)} records of the window have no row, of any strategy: ${named}${range}`,
        tone: 'warning',
      },
    ],
  ];
}

/** The margin of a mean. */
function toMargin(margin: number | null): string {
  return margin === null || margin === 0 ? '' : ` ± ${toFigure(margin)}`;
}

type WithAbsent = StrategyFigures & { absent: Absent | null };

/** Two strategies side by side, and the change from A to B. */
export function toComparisonLines(
  { a, b, delta }: Omit<Comparison, 'a' | 'b'> & { a: Named<WithAbsent>; b: Named<WithAbsent> },
  options: { columns: number | null },
): Line[] {
  type Figure = (of: StrategyFigures) => { text: string; tooFew: boolean };
  const plain = (text: string) => ({ text, tooFew: false });
  const meanOf = ({ mean, margin, tooFew }: Mean) => ({
    text: `${toFigure(mean)}${toMargin(margin)}`,
    tooFew: tooFew && mean !== null,
  });
  const percentile =
    (name: 'p50' | 'p95' | 'p99'): Figure =>
    ({ durations }) => ({ text: toFigure(durations.ok[name].value), tooFew: durations.ok[name].tooFew });
  const rows: [name: string, figure: Figure, change: string][] = [
    ['runs', ({ summary }) => plain(toCount(summary.total.runs)), ''],
    ['stored rows', ({ summary }) => plain(toCount(summary.total.rows)), ''],
    [
      'failure rate',
      ({ summary: { failureRate } }) => ({ text: toPercentage(failureRate.value), tooFew: failureRate.tooFew }),
      delta.failureRate === null ? none : `${withSign(toFigure(delta.failureRate * 100))} pp`,
    ],
    ['mean ms, ok', ({ summary }) => meanOf(summary.statuses.ok.durationMs), withSign(toFigure(delta.meanMs))],
    ['p50 ms, ok', percentile('p50'), withSign(toFigure(delta.p50Ms))],
    ['p95 ms, ok', percentile('p95'), withSign(toFigure(delta.p95Ms))],
    ['p99 ms, ok', percentile('p99'), withSign(toFigure(delta.p99Ms))],
    ['mean points', ({ summary }) => meanOf(summary.points), withSign(toFigure(delta.meanPoints))],
  ];
  const show = (figure: Figure, of: StrategyFigures): string => {
    const { text, tooFew } = figure(of);
    return tooFew ? `${text} ${tooFewMark}` : text;
  };
  return [
    `A  ${a.strategyId}${inBrackets(a.strategyName)}, ${toWindow(a.window)}`,
    `B  ${b.strategyId}${inBrackets(b.strategyName)}, ${toWindow(b.window)}`,
    ...toAbsentLines(a.absent, 'absent, A'),
    ...toAbsentLines(b.absent, 'absent, B'),
    '',
    ...toTable(
      [
        { title: '', cell: ([name]) => name },
        { title: 'A', cell: ([, figure]) => show(figure, a), align: 'right' },
        { title: 'B', cell: ([, figure]) => show(figure, b), align: 'right' },
        { title: 'B - A', cell: ([, , change]) => change, align: 'right' },
      ],
      rows,
      options,
    ),
  ];
}

/** Runs and failures over time, each scaled to its own highest bar, with that bar's value. */
function toSeriesLines({ series }: StrategyAnswer, { columns }: { columns: number | null }): Line[] {
  const { buckets, bucketMs } = series;
  const room = Math.max(10, (columns ?? 140) - 30);
  const runsOf = (failures: boolean) =>
    buckets.map(({ statuses }) =>
      executionStatuses
        .filter((status) => !failures || status !== 'ok')
        .reduce((sum, status) => sum + statuses[status].runs, 0),
    );
  const perBar = Math.ceil(buckets.length / Math.max(1, sumNeighbours(runsOf(false), room).length));
  const line = (name: string, counts: readonly number[], tone: Span['tone']): Line => [
    name.padEnd(10),
    { text: toSparkline(counts, room), tone },
    ` max ${toCount(Math.max(0, ...sumNeighbours(counts, room)))}`,
  ];
  return [
    line('runs', runsOf(false), 'good'),
    line('failures', runsOf(true), 'bad'),
    `          one bar is ${toAge((bucketMs * perBar) / 1_000)}`,
  ];
}

function toTallies(title: string, tallies: readonly (Tally & { name: string })[]) {
  return (options: { columns: number | null }): Line[] => {
    const found = tallies.filter(({ rows }) => rows > 0);
    if (found.length === 0) return [];
    const table = toTable(
      [
        { title, cell: ({ name }) => name, min: 10 },
        { title: 'runs', cell: ({ runs }) => toCount(runs), align: 'right' },
        { title: 'stored rows', cell: ({ rows }) => toCount(rows), align: 'right' },
      ],
      found,
      options,
    );
    return [...table, ''];
  };
}

function toPercentile({ value, low, high, tooFew }: Percentile): string {
  if (value === null) return none;
  const range = low === null || high === null ? '' : ` (${toFigure(low)} to ${toFigure(high)})`;
  return `${toFigure(value)}${tooFew ? ` ${tooFewMark}` : range}`;
}

function toRuns({ runs, rows }: Tally): string {
  return `${toCount(runs)}, from ${toCount(rows)} stored rows`;
}

function toWindow({ since, until }: ExecutionWindow): string {
  return `${since.toISOString()} to ${until.toISOString()}`;
}

function heading(text: string): Line {
  return [{ text, tone: 'strong' }];
}

function mark(tooFew: boolean): string | Span {
  return tooFew ? { text: ` ${tooFewMark}`, tone: 'warning' } : '';
}
