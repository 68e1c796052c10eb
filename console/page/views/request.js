import { copyBox } from '../components/copy-box.js';
import {
  card,
  emptyState,
  factsCard,
  idText,
  nameText,
  outcomeMessage,
  statusBadge,
  traceText,
} from '../components/parts.js';
import { el } from '../lib/dom.js';
import { bytes, time } from '../lib/format.js';

/** @typedef {import('../types.d.ts').Request} Request */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {{ body: string, encoding: string, bytes: number, isCut: boolean }} Body */

/** One request with its bodies. @param {Request} request @param {ViewContext} context */
export function renderRequest(request, context) {
  /** @type {Parameters<typeof factsCard>[0]} */
  const facts = [
    ['Id', idText(request.id)],
    ['Model', request.model],
    ['Creator', [idText(request.createdBy), nameText(request.creatorName)]],
    ['Tier', request.serviceTier],
    ['Key', idText(request.apiKeyHash)],
    ['Trace id', traceText(request.traceId, context.route)],
    ['Span id', idText(request.spanId)],
    ['Arrived', time(request.createdAt)],
    ['Started', request.startedAt === null ? '–' : time(request.startedAt)],
    ['Ended', endOf(request)],
    ['Stored', request.storedAt === null ? '–' : time(request.storedAt)],
    ['Notes', request.notes ?? '–'],
  ];
  const { response } = request;
  return [
    el(
      'div',
      { class: `outcome ${request.state === 'failed' ? 'bad' : 'good'}`, key: 'outcome' },
      el(
        'p',
        { class: 'outcome-line' },
        statusBadge(request.state),
        el('b', null, `${request.method} ${request.path}`),
        el('span', { class: 'quiet' }, response?.status == null ? 'no response' : `status ${response.status}`),
      ),
      outcomeMessage(request.error),
    ),
    bodyCard('Request', request.request, context),
    response === null
      ? card('Response', { key: 'Response' }, emptyState('No response', 'None was recorded.'))
      : bodyCard('Response', response, context),
    factsCard(facts),
  ];
}

/** @param {Request} request */
function endOf({ completedAt, failedAt, canceledAt }) {
  const end = completedAt ?? failedAt ?? canceledAt;
  return end === null ? '–' : time(end);
}

/** @param {string} title @param {Body} body @param {ViewContext} context */
function bodyCard(title, { body, encoding, bytes: size, isCut }, context) {
  return card(
    title,
    { key: title, note: [`${bytes(size)}${encoding === 'utf8' ? '' : `, as ${encoding}`}`, isCut ? ', cut' : null] },
    body === ''
      ? emptyState('Empty', 'The body is empty, or was not kept.')
      : copyBox(`${title.toLowerCase()} body`, body, context),
  );
}
