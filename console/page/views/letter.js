import { copyBox } from '../components/copy-box.js';
import { card, idText, outcomeMessage, statusBadge } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { counted, time } from '../lib/format.js';
import { letterActions } from './dead-letters.js';

/** @typedef {import('../types.d.ts').DeadLetter} DeadLetter */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** One dead letter with its payload. @param {DeadLetter} letter @param {ViewContext} context */
export function renderLetter(letter, context) {
  const holdsRecord = letter.contractVersion !== null;
  /** @type {[string, import('../lib/dom.js').Child][]} */
  const facts = [
    ['Id', idText(letter.id)],
    ['Queue', letter.queue],
    ['First seen', time(letter.firstSeen)],
    ['Last seen', time(letter.lastSeen)],
    ['Found dead', counted(letter.attempts, 'time')],
    ['Replayed', counted(letter.replays, 'time')],
    ['Job', idText(letter.jobId)],
    ['Producer', idText(letter.producer)],
    ['Record', idText(letter.recordKey)],
    ['Cause', letter.signature],
  ];
  return [
    el(
      'div',
      { class: 'outcome bad', key: 'outcome' },
      el(
        'p',
        { class: 'outcome-line' },
        statusBadge(letter.state),
        el('b', null, letter.code),
        el('span', { class: 'quiet' }, `since ${time(letter.stateSince)}`),
      ),
      outcomeMessage(letter.reason),
      holdsRecord
        ? null
        : el('p', { class: 'quiet' }, 'It holds no record, but a chunk that could not be read: it cannot be replayed.'),
      el('p', { class: 'card-actions' }, letterActions({ ...letter, holdsRecord }, context)),
    ),
    card(
      'Payload',
      { key: 'payload', note: 'as it was first received' },
      copyBox('payload', pretty(letter.payload), context),
    ),
    card(
      'Facts',
      { key: 'facts' },
      el(
        'dl',
        { class: 'facts' },
        facts.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))),
      ),
    ),
  ];
}

/** Only where it is the same afterwards: numbers may have more digits than JavaScript keeps. @param {string} json */
function pretty(json) {
  try {
    const parsed = JSON.parse(json);
    return JSON.stringify(parsed) === json ? JSON.stringify(parsed, null, 2) : json;
  } catch {
    return json;
  }
}
