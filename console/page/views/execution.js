import { copyBox } from '../components/copy-box.js';
import {
  button,
  card,
  emptyState,
  factsCard,
  idText,
  nameText,
  outcomeMessage,
  statusBadge,
  traceText,
} from '../components/parts.js';
import { traceTree } from '../components/trace-tree.js';
import { el } from '../lib/dom.js';
import { count, counted, decimal, ms, percent, time } from '../lib/format.js';
import { toReplayBody } from '../lib/replay-body.js';
import { toTraceTree } from '../lib/to-trace-tree.js';

/** @typedef {import('../types.d.ts').Execution} Execution */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** In a longer trace, the failed node is hard to find by scrolling. */
const shortTraceEntries = 15;

/**
 * One execution with all its details.
 *
 * @param {Execution} execution
 * @param {Pick<ViewContext, 'announce' | 'route'>} context
 */
export function renderExecution(execution, context) {
  return [
    outcome(execution),
    card('Trace', { key: 'trace', note: traceNote(execution) }, traceOf(execution)),
    card(
      'Input',
      { key: 'input' },
      execution.input === null || execution.input === undefined
        ? emptyState('No input', 'The service did not report the input.')
        : copyBox('input', JSON.stringify(execution.input, null, 2), context),
    ),
    replayCard(execution, context),
    facts(execution, context),
  ];
}

/** @param {Execution} execution */
function outcome(execution) {
  const { status, errorCode, errorMessage, failedNodeId, caseName, points, durationMs, nodesExecuted, trace } =
    execution;
  return el(
    'div',
    { class: `outcome ${status === 'ok' ? 'good' : 'bad'}`, key: 'outcome' },
    el(
      'p',
      { class: 'outcome-line' },
      statusBadge(status),
      status === 'ok' ? el('b', null, caseName ?? 'matched no case') : el('b', null, errorCode ?? 'no error code'),
      el(
        'span',
        { class: 'quiet' },
        `${ms(durationMs)}, ${counted(nodesExecuted, 'node')}, ${points === null ? 'no' : decimal(points)} points, at ${time(execution.recordedAt)}`,
      ),
    ),
    outcomeMessage(errorMessage),
    failedNodeId === null
      ? null
      : el(
          'p',
          { class: 'quiet' },
          'Failed at node ',
          el('code', { class: 'id' }, failedNodeId),
          ' ',
          (trace?.length ?? 0) > shortTraceEntries ? button('Show it in the trace', showFailed) : null,
        ),
  );
}

/** In a trace of thousands of entries, nobody finds it by scrolling. @param {{ currentTarget: HTMLElement }} event */
function showFailed({ currentTarget }) {
  const failed = currentTarget.closest('.detail-body')?.querySelector('.tree .failed');
  // Opens all closed nodes above it.
  for (let above = failed?.parentElement?.closest('details'); above; above = above.parentElement?.closest('details'))
    above.open = true;
  failed?.scrollIntoView({ block: 'center' });
  /** @type {HTMLElement | null | undefined} */ (failed?.querySelector('.tree-line'))?.focus({ preventScroll: true });
}

/** @param {Execution} execution */
function traceNote({ trace, traceLength }) {
  if (trace === null) return null;
  const length = traceLength ?? trace.length;
  return length > trace.length
    ? `${count(trace.length)} of ${count(length)} entries were kept`
    : `${counted(length, 'entry', 'entries')}, in the order of evaluation`;
}

/** @param {Execution} execution */
function traceOf(execution) {
  const { trace, failedNodeId, traceLength } = execution;
  if (trace === null && failedNodeId === null)
    return emptyState('No trace', 'The service did not report a trace for this run.');
  return traceTree(toTraceTree(trace ?? [], { failedNodeId, traceLength }));
}

/** @param {Execution} execution @param {Pick<ViewContext, 'announce'>} context */
function replayCard(execution, context) {
  const { body, remarks } = toReplayBody(execution);
  return card(
    'Replay',
    {
      key: 'replay',
      note: ['body for ', el('code', null, 'POST …/simulate'), ', with what the run read as mockState'],
    },
    copyBox('replay body', JSON.stringify(body, null, 2), context),
    remarks.length === 0
      ? null
      : el(
          'ul',
          { class: 'remarks' },
          remarks.map((remark) => el('li', null, remark)),
        ),
  );
}

/** @param {Execution} execution @param {Pick<ViewContext, 'route'>} context */
function facts(execution, { route }) {
  const { sampled, sampleRate } = execution;
  return factsCard([
    [
      'Recorded',
      el('time', { datetime: execution.recordedAt, title: execution.recordedAt }, time(execution.recordedAt)),
    ],
    ['Stored', execution.storedAt === null ? '–' : time(execution.storedAt)],
    ['Id', idText(execution.id)],
    ['Strategy', [idText(execution.strategyId), nameText(execution.strategyName)]],
    ['Version', `${execution.strategyVersion}`],
    ['Type', execution.strategyType],
    ['Parent', idText(execution.parentStrategyId)],
    ['Program hash', idText(execution.astHash)],
    ['Realm', idText(execution.realmId)],
    ['Game', idText(execution.externalGameId)],
    ['Task', idText(execution.externalTaskId)],
    ['User', idText(execution.externalUserId)],
    ['Trace id', traceText(execution.traceId, route)],
    ['Span id', idText(execution.spanId)],
    ['Attempt', `${execution.attempt}`],
    [
      'Kept',
      sampled
        ? `by the sampler, at ${percent(sampleRate)}: stands for ${decimal(1 / sampleRate)} runs`
        : 'because it failed: stands for itself',
    ],
    ['Notes', execution.notes ?? '–'],
  ]);
}
