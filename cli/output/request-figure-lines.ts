import type { Percentile } from '../../queries/executions/percentiles.ts';
import type { ExecutionWindow } from '../../queries/executions/window.ts';
import type { ComparedRequests, RequestComparison } from '../../queries/requests/compare.ts';
import type { RequestDimension } from '../../queries/requests/dimensions.ts';
import type { CountedRequests, RequestCost, Share } from '../../queries/requests/figures.ts';
import type { RequestFigures, RequestGroups, RequestStats } from '../../queries/requests/stats.ts';
import { none, toAge, toCount, toFigure, toPercentage, withSign } from './figures.ts';
import type { Line, Span } from './line.ts';
import { toRequestTable } from './request-lines.ts';
import { sumNeighbours, toSparkline } from './sparkline.ts';
import { type Column, toTable } from './table.ts';

/** Next to a value that is based on too few requests to draw conclusions from. */
const tooFewMark = '(too few requests)';

/** Figures of requests over a window, for a person. @param options.columns of the terminal; null: there is none */
export function toRequestStatsLines(stats: RequestStats, options: { columns: number | null }): Line[] {
  const { window, summary, groups, lastFailures } = stats;
  const { requests, tokens, streams } = summary;
  if (requests === 0) return [`window    ${toWindow(window)}`, 'no requests'];
  return [
    `window    ${toWindow(window)}`,
    `requests  ${toCount(requests)}: ${toStates(summary)}`,
    `answers   ${toClasses(summary)}, ${toCount(streams)} streams`,
    ['failures  ', `${toShare(summary.failureRate)} of those that have completed or failed`, mark(summary.failureRate)],
    `tokens    ${toCount(tokens.input)} in (${toCount(tokens.cached)} from a cache), ${toCount(tokens.output)} out (${toCount(tokens.reasoning)} of reasoning), of ${toCount(tokens.outputRequests)} requests`,
    `cost      ${toCost(summary.cost)}${toUnpriced(summary.cost)}`,
    '',
    ...toSeriesLines(stats, options),
    '',
    ...toTable(
      [
        { title: 'ms', cell: ({ name }) => name },
        { title: 'p50', cell: ({ p50 }) => toPercentile(p50) },
        { title: 'p95', cell: ({ p95 }) => toPercentile(p95) },
        { title: 'p99', cell: ({ p99 }) => toPercentile(p99) },
        { title: 'requests', cell: ({ p50 }) => toCount(p50.rows), align: 'right' },
      ],
      [
        { name: 'latency, completed', ...summary.latencyMs.completed },
        { name: 'latency, failed', ...summary.latencyMs.failed },
        { name: 'first token', ...summary.firstTokenMs },
      ],
      options,
    ),
    ...(groups === null ? [] : ['', ...toGroupLines(groups, options)]),
    ...(lastFailures.length === 0 ? [] : ['', heading('what failed last'), ...toRequestTable(lastFailures, options)]),
  ];
}

const titles: Record<RequestDimension, string> = {
  model: 'model',
  provider: 'provider',
  api: 'api',
  createdBy: 'creator',
  endpoint: 'endpoint',
  statusClass: 'status',
  serviceTier: 'tier',
};

function toGroupLines({ by, groups, others }: RequestGroups, options: { columns: number | null }): Line[] {
  type Row = CountedRequests & Partial<RequestFigures> & { key: string | null };
  const ms =
    (of: (row: Row) => Percentile | undefined): Column<Row>['cell'] =>
    (row) =>
      toFigure(of(row)?.value ?? null);
  const rows: Row[] = [
    ...groups,
    ...(others.groups === 0 ? [] : [{ ...others, key: `(${toCount(others.groups)} others)` }]),
  ];
  return toTable<Row>(
    [
      { title: titles[by], cell: ({ key }) => key ?? none, min: 10 },
      { title: 'requests', cell: ({ requests }) => toCount(requests), align: 'right' },
      { title: 'failed', cell: ({ states }) => toCount(states.failed), align: 'right' },
      { title: 'p50 ms', cell: ms((row) => row.latencyMs?.completed.p50), align: 'right' },
      { title: 'p95 ms', cell: ms((row) => row.latencyMs?.completed.p95), align: 'right' },
      { title: 'token ms', cell: ms((row) => row.firstTokenMs?.p50), align: 'right', optional: true },
      { title: 'tokens in', cell: ({ tokens }) => toCount(tokens.input), align: 'right', optional: true },
      { title: 'out', cell: ({ tokens }) => toCount(tokens.output), align: 'right', optional: true },
      { title: 'cost', cell: ({ cost }) => toCost(cost), align: 'right' },
      {
        title: 'unpriced',
        cell: ({ cost }) => toCount(cost.withoutPrice + cost.withoutTokens),
        align: 'right',
        optional: true,
      },
    ],
    rows,
    options,
  );
}

/** Two sides of a comparison, and the change from A to B. */
export function toRequestComparisonLines(
  { a, b, delta }: RequestComparison,
  options: { columns: number | null },
): Line[] {
  type Figure = (of: ComparedRequests) => string;
  const percentile = ({ value, tooFew }: Percentile): string =>
    `${toFigure(value)}${tooFew && value !== null ? ` ${tooFewMark}` : ''}`;
  const perRequest = (sum: number, requests: number): string => toFigure(requests === 0 ? null : sum / requests);
  const { costPerRequest } = delta;
  const rows: [name: string, figure: Figure, change: string][] = [
    ['requests', ({ requests }) => toCount(requests), withSign(toCount(delta.requests))],
    [
      'failure rate',
      ({ failureRate }) => `${toShare(failureRate)}${failureRate.tooFew ? ` ${tooFewMark}` : ''}`,
      delta.failureRate === null ? none : `${withSign(toFigure(delta.failureRate * 100))} pp`,
    ],
    ['p50 ms', ({ latencyMs }) => percentile(latencyMs.completed.p50), withSign(toFigure(delta.p50Ms))],
    ['p95 ms', ({ latencyMs }) => percentile(latencyMs.completed.p95), withSign(toFigure(delta.p95Ms))],
    ['p99 ms', ({ latencyMs }) => percentile(latencyMs.completed.p99), withSign(toFigure(delta.p99Ms))],
    [
      'first token, p50 ms',
      ({ firstTokenMs }) => percentile(firstTokenMs.p50),
      withSign(toFigure(delta.firstTokenP50Ms)),
    ],
    [
      'first token, p95 ms',
      ({ firstTokenMs }) => percentile(firstTokenMs.p95),
      withSign(toFigure(delta.firstTokenP95Ms)),
    ],
    [
      'tokens in, a request',
      ({ tokens }) => perRequest(tokens.input, tokens.inputRequests),
      withSign(toFigure(delta.inputTokensPerRequest)),
    ],
    [
      'tokens out, a request',
      ({ tokens }) => perRequest(tokens.output, tokens.outputRequests),
      withSign(toFigure(delta.outputTokensPerRequest)),
    ],
    ['cost', ({ cost }) => toCost(cost), ''],
    [
      'cost, a request',
      ({ cost }) =>
        cost.amounts
          .map(({ currency, amount, requests }) => `${toFigure(Number(amount) / requests)} ${currency}`)
          .join(', ') || none,
      costPerRequest === null ? none : `${withSign(toFigure(costPerRequest.amount))} ${costPerRequest.currency}`,
    ],
  ];
  const side = ({ model, window }: ComparedRequests): string =>
    `${model === null ? '' : `${model}, `}${toWindow(window)}`;
  return [
    `A  ${side(a)}`,
    `B  ${side(b)}`,
    '',
    ...toTable(
      [
        { title: '', cell: ([name]) => name },
        { title: 'A', cell: ([, figure]) => figure(a), align: 'right' },
        { title: 'B', cell: ([, figure]) => figure(b), align: 'right' },
        { title: 'B - A', cell: ([, , change]) => change, align: 'right' },
      ],
      rows,
      options,
    ),
  ];
}

/** Requests and failures over time, each scaled to its own highest bar, with that bar's value. */
function toSeriesLines({ series }: RequestStats, { columns }: { columns: number | null }): Line[] {
  const { buckets, bucketMs } = series;
  const room = Math.max(10, (columns ?? 140) - 30);
  const all = buckets.map(({ requests }) => requests);
  const failed = buckets.map(({ states }) => states.failed);
  const perBar = Math.ceil(buckets.length / Math.max(1, sumNeighbours(all, room).length));
  const line = (name: string, counts: readonly number[], tone: Span['tone']): Line => [
    name.padEnd(10),
    { text: toSparkline(counts, room), tone },
    ` max ${toCount(Math.max(0, ...sumNeighbours(counts, room)))}`,
  ];
  return [
    line('requests', all, 'good'),
    line('failures', failed, 'bad'),
    `          one bar is ${toAge((bucketMs * perBar) / 1_000)}`,
  ];
}

function toStates({ states }: CountedRequests): string {
  return Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${toCount(count)} ${state}`)
    .join(', ');
}

function toClasses({ statusClasses }: CountedRequests): string {
  const found = Object.entries(statusClasses).filter(([, count]) => count > 0);
  return found.map(([name, count]) => `${toCount(count)} ${name === 'none' ? 'without a status' : name}`).join(', ');
}

function toShare({ value, low, high, tooFew }: Share): string {
  if (value === null || low === null || high === null || tooFew) return toPercentage(value);
  return `${toPercentage(value)} (${toPercentage(low)} to ${toPercentage(high)})`;
}

/** Amounts to six digits behind the point; `--json` has all of them. */
function toCost({ amounts }: RequestCost): string {
  return amounts.map(({ currency, amount }) => `${toAmount(amount)} ${currency}`).join(', ') || none;
}

function toAmount(amount: string): string {
  return Number(amount).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 6 });
}

function toUnpriced({ withoutPrice, withoutTokens }: RequestCost): string {
  const missing = [
    ...(withoutPrice === 0 ? [] : [`${toCount(withoutPrice)} without a price`]),
    ...(withoutTokens === 0 ? [] : [`${toCount(withoutTokens)} whose tokens are not known`]),
  ];
  return missing.length === 0 ? '' : `, and completed requests that are not in it: ${missing.join(', ')}`;
}

function toPercentile({ value, low, high, tooFew }: Percentile): string {
  if (value === null) return none;
  const range = low === null || high === null ? '' : ` (${toFigure(low)} to ${toFigure(high)})`;
  return `${toFigure(value)}${tooFew ? ` ${tooFewMark}` : range}`;
}

function toWindow({ since, until }: ExecutionWindow): string {
  return `${since.toISOString()} to ${until.toISOString()}`;
}

function heading(text: string): Line {
  return [{ text, tone: 'strong' }];
}

function mark({ tooFew }: Share): string | Span {
  return tooFew ? { text: ` ${tooFewMark}`, tone: 'warning' } : '';
}
