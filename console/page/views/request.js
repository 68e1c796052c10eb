import { conversation, fieldList } from '../components/conversation.js';
import { folded } from '../components/folded.js';
import { longText } from '../components/long-text.js';
import { card, emptyState, factsCard, idText, nameText, statusBadge, traceText } from '../components/parts.js';
import { get } from '../lib/api.js';
import { toConversation } from '../lib/conversation/to-conversation.js';
import { el } from '../lib/dom.js';
import { bytes, count, counted, time } from '../lib/format.js';
import { requestActions } from './request-actions.js';
import { differenceCards } from './request-difference.js';
import { headline } from './request-headline.js';

/** @typedef {import('../types.d.ts').Request} Request */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {import('../lib/conversation/conversation.d.ts').Conversation} Conversation */
/** @typedef {{ request: Request, said: Conversation }} ReadRequest */

/** More of a body than anybody reads, and than a browser shows at once; the whole can be saved. */
const maxBodyChars = 16 * 1_048_576;

/**
 * One request, and the one that it is compared with.
 *
 * @param {import('../lib/route.js').Route} route
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<{ one: ReadRequest, other: ReadRequest | null }>}
 */
export async function loadRequest({ params }, id, signal) {
  const otherId = params.get('with');
  const read = async (/** @type {string} */ which) => {
    /** @type {Request} */
    const request = await get(`requests/${encodeURIComponent(which)}`, { maxBodyChars }, signal);
    const { path, response } = request;
    return {
      request,
      said: toConversation({ path, request: partly(request.request), response: response && partly(response) }),
    };
  };
  const [one, other] = await Promise.all([read(id), otherId === null ? null : read(otherId)]);
  return { one, other };
}

/** Part of a body is read like one that was cut. @param {Request['request']} body */
function partly({ body, encoding, bytes: size, isCut, leftOutChars }) {
  return { body, encoding, bytes: size, isCut: isCut || leftOutChars > 0 };
}

/** @param {Awaited<ReturnType<typeof loadRequest>>} answer @param {ViewContext} context */
export function renderRequest({ one, other }, context) {
  const { request, said } = one;
  return [
    outcome(request),
    headline(request, said),
    requestActions(one, other?.request.id ?? null, context),
    ...(other === null ? [conversationCard(said)] : differenceCards(one, other, context)),
    bodyCard('Request', request.id, request.request),
    request.response === null
      ? card('Response', { key: 'Response' }, emptyState('No response', 'None was recorded.'))
      : bodyCard('Response', request.id, request.response),
    facts(request, context),
  ];
}

/** @param {Request} request */
function outcome({ state, method, path, response, error }) {
  return el(
    'div',
    { class: `outcome ${state === 'failed' ? 'bad' : 'good'}`, key: 'outcome' },
    el(
      'p',
      { class: 'outcome-line' },
      statusBadge(state),
      el('b', null, `${method} ${path}`),
      el('span', { class: 'quiet' }, response?.status == null ? 'no response' : `status ${response.status}`),
    ),
    error === null
      ? null
      : folded('The failure as it was reported', () => longText(error, { name: 'failure', isCode: true })),
  );
}

/** @param {Conversation} said */
function conversationCard(said) {
  const { turns, settings, answer, remarks } = said;
  return card(
    'Conversation',
    { key: 'conversation', note: conversationNote(said) },
    remarkList(remarks),
    turns.length === 0
      ? emptyState('Nothing was said', 'The bodies are empty, or were not kept.')
      : conversation(turns),
    settings.length === 0
      ? null
      : folded(`Settings of the request: ${counted(settings.length, 'field')}`, () => fieldList(settings), {
          key: 'settings',
        }),
    answer.length === 0
      ? null
      : folded(`The rest of the response: ${counted(answer.length, 'field')}`, () => fieldList(answer), {
          key: 'answer',
        }),
  );
}

/** @param {Conversation} said */
function conversationNote({ turns, request, response }) {
  const shapes = [...new Set([request.shape, response.shape])].filter((shape) => shape !== null);
  return [
    counted(turns.length, 'turn'),
    shapes.length === 0 ? null : `, ${shapes.join(' and ')}`,
    response.isStream ? ', put together from the stream' : null,
    turns.length > 1 ? '; j and k go from turn to turn' : null,
  ];
}

/** @param {readonly string[]} remarks */
export function remarkList(remarks) {
  if (remarks.length === 0) return null;
  return el(
    'ul',
    { class: 'banner remark-list' },
    remarks.map((remark) => el('li', null, remark)),
  );
}

/** @param {string} title @param {string} id @param {Request['request']} body */
function bodyCard(title, id, { body, encoding, bytes: size, isCut, leftOutChars }) {
  const name = title.toLowerCase();
  return card(
    `${title} as it was stored`,
    {
      key: title,
      note: [
        `${bytes(size)}${encoding === 'utf8' ? '' : `, as ${encoding}`}`,
        isCut ? ', only the beginning was kept' : null,
        leftOutChars > 0 ? `; ${count(leftOutChars)} characters are not shown here` : null,
      ],
      actions:
        body === ''
          ? null
          : el(
              'a',
              { class: 'button', href: `api/v1/requests/${id}/bodies/${name}`, download: `${name}-${id}.txt` },
              'Save as a file',
            ),
    },
    body === ''
      ? emptyState('Empty', 'The body is empty, or was not kept.')
      : folded('Raw text', () => longText(body, { name: `${name} body`, isCode: true })),
  );
}

/** @param {Request} request @param {ViewContext} context */
function facts(request, { route }) {
  return factsCard([
    ['Id', idText(request.id)],
    ['Model', request.model],
    ['Creator', [idText(request.createdBy), nameText(request.creatorName)]],
    ['Tier', request.serviceTier],
    ['Key', idText(request.apiKeyHash)],
    ['Trace id', traceText(request.traceId, route)],
    ['Span id', idText(request.spanId)],
    ['Arrived', time(request.createdAt)],
    ['Started', request.startedAt === null ? '–' : time(request.startedAt)],
    ['Ended', endOf(request)],
    ['Stored', request.storedAt === null ? '–' : time(request.storedAt)],
    ['Notes', request.notes ?? '–'],
  ]);
}

/** @param {Request} request */
function endOf({ completedAt, failedAt, canceledAt }) {
  const end = completedAt ?? failedAt ?? canceledAt;
  return end === null ? '–' : time(end);
}
