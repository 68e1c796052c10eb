import type { StoredExecution } from '../../queries/executions/one.ts';
import type { ExecutionSummary } from '../../queries/executions/summary.ts';
import { inBrackets, none, toFigure } from './figures.ts';
import type { Line, Span } from './line.ts';
import { toTraceTree } from './run-shapes.ts';
import { spanLines } from './span-lines.ts';
import { type Column, toTable } from './table.ts';
import { toTraceLines } from './trace-lines.ts';

/** With what people call its strategy, if it has a name. */
type Named<T> = T & { strategyName?: string | null };

/** Executions as a table. @param options.withStrategy whether they belong to more than one strategy */
export function toExecutionTable(
  executions: readonly Named<ExecutionSummary>[],
  options: { columns: number | null; withStrategy: boolean },
): Line[] {
  const strategy: Column<Named<ExecutionSummary>> = { title: 'strategy', cell: ({ strategyId }) => strategyId, min: 8 };
  const name: Column<Named<ExecutionSummary>> = {
    title: 'name',
    cell: ({ strategyName }) => strategyName ?? none,
    min: 6,
    optional: true,
  };
  const withName = options.withStrategy && executions.some(({ strategyName }) => strategyName != null);
  const shape: Column<Named<ExecutionSummary>>[] = [
    // First, so that it is complete on the narrowest terminal: other commands need it.
    { title: 'id', cell: ({ id }) => id },
    { title: 'recorded', cell: ({ recordedAt }) => recordedAt.toISOString() },
    { title: 'status', cell: toStatus },
    ...(options.withStrategy ? [strategy] : []),
    ...(withName ? [name] : []),
    { title: 'points', cell: ({ points }) => pointsText(points), align: 'right', optional: true },
    { title: 'case or error', cell: toOutcome, min: 8, optional: true },
    { title: 'ms', cell: ({ durationMs }) => toFigure(durationMs), align: 'right', optional: true },
    { title: 'user', cell: ({ externalUserId }) => externalUserId ?? none, min: 6, optional: true },
  ];
  return toTable(shape, executions, options);
}

/** An execution as one line, for an endless list. */
export function toExecutionLine(execution: Named<ExecutionSummary>): Line {
  const { recordedAt, id, status, strategyId, strategyName, points } = execution;
  return [
    `${recordedAt.toISOString()}  ${id}  `,
    { text: status.padEnd('cancelled'.length), tone: toStatus(execution).tone },
    `  ${strategyId}${inBrackets(strategyName)}  ${status === 'ok' ? `${pointsText(points)} ` : ''}${toOutcome(execution)}`,
  ];
}

/** An execution with all its details, and its trace as a tree that is cut at the edge of the terminal. */
export function toExecutionLines(execution: Named<StoredExecution>, options: { columns: number | null }): Line[] {
  const { trace, traceLength, status, failedNodeId, input } = execution;
  const { errorCode, errorMessage, sampled, sampleRate, notes } = execution;
  const parent = execution.parentStrategyId === null ? '' : `, parent ${execution.parentStrategyId}`;
  const failure = [errorCode, errorMessage].filter((text) => text !== null).join(': ');
  const lines: Line[] = [
    ['execution   ', { text: execution.id, tone: 'strong' }],
    `recorded    ${execution.recordedAt.toISOString()}`,
    `stored      ${execution.storedAt?.toISOString() ?? none}`,
    `strategy    ${execution.strategyId}${inBrackets(execution.strategyName)}, version ${execution.strategyVersion}, ${execution.strategyType}${parent}`,
    ['status      ', toStatus(execution)],
    ...(status === 'ok' ? [] : [`failure     ${failure === '' ? 'no code or message' : failure}`]),
    `points      ${pointsText(execution.points)}`,
    `case        ${execution.caseName ?? none}`,
    `took        ${toFigure(execution.durationMs)} ms, ${execution.nodesExecuted} nodes`,
    `for         realm ${execution.realmId ?? none}, game ${execution.externalGameId ?? none}, task ${execution.externalTaskId ?? none}, user ${execution.externalUserId ?? none}`,
    `stands for  ${sampled ? `${toFigure(1 / sampleRate)} runs (sample rate ${sampleRate})` : 'itself only: every failure is kept'}`,
    ...(execution.attempt > 1 ? [`attempt     ${execution.attempt}`] : []),
    ...(execution.astHash === null ? [] : [`program     ${execution.astHash}`]),
    ...spanLines(execution),
    ...(notes === null ? [] : [`notes       ${notes}`]),
    `input       ${input === null ? none : JSON.stringify(input)}`,
  ];
  if (trace === null) return [...lines, `trace       ${none}`];
  const of = traceLength === null || traceLength === trace.length ? '' : ` of ${traceLength}`;
  return [
    ...lines,
    `trace       ${trace.length}${of} entries${status === 'ok' || failedNodeId !== null ? '' : '; the failed node is unknown'}`,
    ...toTraceLines(toTraceTree(trace, { failedNodeId, traceLength }), options),
  ];
}

function toStatus({ status }: ExecutionSummary): Span {
  return { text: status, tone: status === 'ok' ? 'good' : 'bad' };
}

/** What an ok run matched, or what a failed one failed with. */
function toOutcome({ status, caseName, errorCode, errorMessage }: ExecutionSummary): string {
  if (status === 'ok') return caseName ?? none;
  return [errorCode, errorMessage].filter((text) => text !== null).join(': ') || none;
}

/** Points are shown to the last digit, because users were given exactly that many. */
function pointsText(points: number | null): string {
  return points === null ? none : String(points);
}
