import { shortText } from '../components/long-text.js';
import { figure, figures } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { compact, count, ms } from '../lib/format.js';
import { money } from '../lib/money.js';

/** @typedef {import('../types.d.ts').Request} Request */
/** @typedef {import('../lib/conversation/conversation.d.ts').Conversation} Conversation */

/**
 * What is asked first about a request: its tokens, its cost, its times, and why it ended. What is not known is left out.
 *
 * @param {Request} request
 * @param {Conversation} said
 */
export function headline({ facts, startedAt, completedAt, failedAt, response }, said) {
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens, cost, firstTokenAt, provider } = facts;
  const started = startedAt === null ? null : Date.parse(startedAt);
  const since = (/** @type {string | null} */ at) =>
    at === null || started === null ? null : Date.parse(at) - started;
  const [duration, first] = [since(completedAt ?? failedAt), since(firstTokenAt)];
  const finish = facts.finishReason ?? said.turns.findLast((turn) => turn.finish !== null)?.finish ?? null;
  const all = [
    inputTokens === null
      ? null
      : figure('Tokens in', compact(inputTokens), cachedTokens ? `${count(cachedTokens)} from a cache` : null),
    outputTokens === null
      ? null
      : figure('Tokens out', compact(outputTokens), reasoningTokens ? `${count(reasoningTokens)} of reasoning` : null),
    cost === null ? null : figure('Cost', money(cost), 'by the prices of its day'),
    duration === null ? null : figure('Duration', ms(duration), speed(outputTokens, duration)),
    first === null ? null : figure('First token', ms(first), 'after the start'),
    finish === null ? null : figure('Finished', shortText(finish, 40), response?.isIncomplete ? 'broken off' : null),
    provider === null ? null : figure('Provider', shortText(provider, 40)),
  ].filter((one) => one !== null);
  return all.length === 0
    ? null
    : el('section', { class: 'key-figures', 'aria-label': 'Key figures', key: 'figures' }, figures(...all));
}

/** @param {number | null} tokens @param {number} durationMs */
function speed(tokens, durationMs) {
  return tokens === null || durationMs < 1 ? null : `${count((tokens / durationMs) * 1_000)} tokens/s`;
}
