import { copyBox } from '../components/copy-box.js';
import { card, factsCard, idText, nameText, outcomeMessage, statusBadge } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { counted, time } from '../lib/format.js';
import { deadLetterActions } from './dead-letters.js';

/** @typedef {import('../types.d.ts').DeadLetter} DeadLetter */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** One dead letter with its payload. @param {DeadLetter} deadLetter @param {ViewContext} context */
export function renderDeadLetter(deadLetter, context) {
  const holdsRecord = deadLetter.contractVersion !== null;
  /** @type {Parameters<typeof factsCard>[0]} */
  const facts = [
    ['Id', idText(deadLetter.id)],
    ['Queue', deadLetter.queue],
    ...subjectFacts(deadLetter),
    ['First seen', time(deadLetter.firstSeen)],
    ['Last seen', time(deadLetter.lastSeen)],
    ['Dead-lettered', counted(deadLetter.attempts, 'time')],
    ['Replayed', counted(deadLetter.replays, 'time')],
    ['Job', idText(deadLetter.jobId)],
    ['Producer', idText(deadLetter.producer)],
    ['Record', idText(deadLetter.recordKey)],
    ['Cause', deadLetter.signature],
  ];
  return [
    el(
      'div',
      { class: 'outcome bad', key: 'outcome' },
      el(
        'p',
        { class: 'outcome-line' },
        statusBadge(deadLetter.state),
        el('b', null, deadLetter.code),
        el('span', { class: 'quiet' }, `since ${time(deadLetter.stateSince)}`),
      ),
      outcomeMessage(deadLetter.reason),
      holdsRecord
        ? null
        : el('p', { class: 'quiet' }, 'It holds an unreadable chunk instead of a record, so it cannot be replayed.'),
      el('p', { class: 'card-actions' }, deadLetterActions({ ...deadLetter, holdsRecord }, context)),
    ),
    card(
      'Payload',
      { key: 'payload', note: 'as first received' },
      copyBox('payload', pretty(deadLetter.payload), context),
    ),
    factsCard(facts),
  ];
}

/** Whose record it is. @param {DeadLetter} deadLetter @returns {Parameters<typeof factsCard>[0]} */
function subjectFacts({ subject }) {
  if (subject === null) return [];
  return [[subject.kind === 'strategy' ? 'Strategy' : 'Creator', [idText(subject.id), nameText(subject.name)]]];
}

/** Only if it stays the same: numbers may have more digits than JavaScript keeps. @param {string} json */
function pretty(json) {
  try {
    const parsed = JSON.parse(json);
    return JSON.stringify(parsed) === json ? JSON.stringify(parsed, null, 2) : json;
  } catch {
    return json;
  }
}
