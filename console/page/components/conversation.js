import { el } from '../lib/dom.js';
import { bytes, count, counted } from '../lib/format.js';
import { boundedList } from './bounded-list.js';
import { folded } from './folded.js';
import { longText, shortText } from './long-text.js';

/** @typedef {import('../lib/conversation/conversation.d.ts').Field} Field */
/** @typedef {import('../lib/conversation/conversation.d.ts').Part} Part */
/** @typedef {import('../lib/conversation/conversation.d.ts').Turn} Turn */
/** @typedef {import('../lib/dom.js').Child} Child */

/** Roles that have a colour of their own. */
const knownRoles = new Set(['system', 'developer', 'instructions', 'user', 'assistant', 'model', 'tool', 'error']);

/**
 * What was said, turn by turn. Of a long conversation the beginning and the end are shown, and the rest when the reader asks.
 *
 * @param {readonly Turn[]} turns
 */
export function conversation(turns) {
  return el(
    'div',
    { class: 'turns' },
    boundedList({
      length: turns.length,
      first: 4,
      last: 16,
      name: 'turns',
      item: (index) => {
        const turn = turns[index];
        return turn === undefined ? null : turnArticle(turn, `Turn ${count(index + 1)} of ${count(turns.length)}`);
      },
    }),
  );
}

/**
 * @param {Turn} turn
 * @param {string} label
 * @param {Child} [content] in place of its parts
 */
export function turnArticle({ side, role, parts, finish }, label, content) {
  const known = knownRoles.has(role) ? role : 'unknown';
  return el(
    'article',
    { class: `turn role-${known} of-${side}`, tabindex: -1, 'aria-label': `${label}, ${known}`, key: label },
    el(
      'p',
      { class: 'turn-head' },
      el('b', { class: 'turn-role' }, role === '' ? 'no role' : shortText(role, 60)),
      side === 'response' ? el('span', { class: 'badge' }, 'response') : null,
      finish === null ? null : el('span', { class: 'quiet' }, 'finished: ', el('b', null, shortText(finish, 60))),
    ),
    content ?? partList(parts),
  );
}

/** @param {readonly Part[]} parts */
function partList(parts) {
  return boundedList({
    length: parts.length,
    first: 30,
    last: 10,
    name: 'parts',
    item: (index) => {
      const part = parts[index];
      return part === undefined ? null : el('div', { class: `part ${part.kind}`, key: `${index}` }, partContent(part));
    },
  });
}

/** @param {Part} part @returns {Child} */
function partContent(part) {
  switch (part.kind) {
    case 'text':
      return longText(part.text, { name: 'text' });
    case 'reasoning':
      return folded(['Reasoning ', sizeOf(part.text)], () => longText(part.text, { name: 'reasoning' }));
    case 'refusal':
      return [el('p', { class: 'part-name' }, 'Refusal'), longText(part.text, { name: 'refusal' })];
    case 'error':
      return [
        el(
          'p',
          { class: 'part-name' },
          'Error ',
          part.code === '' ? null : el('code', { class: 'id' }, shortText(part.code)),
        ),
        longText(part.text, { name: 'error' }),
      ];
    case 'media':
      return mediaPlaceholder(part);
    case 'numbers':
      return el(
        'p',
        { class: 'placeholder' },
        part.of === 'vector' ? `Vector of ${counted(part.length, 'number')}` : counted(part.length, 'token'),
      );
    case 'call':
      return callContent(part);
    case 'result':
      return resultContent(part, 'Result of a call that is not here');
    case 'other':
      return otherFields(part.fields);
    case 'raw':
      return [
        el('p', { class: 'part-name' }, 'As it was stored ', sizeOf(part.text)),
        longText(part.text, { name: 'stored text', isCode: true }),
      ];
  }
}

/** @param {string} text */
function sizeOf(text) {
  return el('small', null, counted(text.length, 'character'));
}

const mediaNames = { image: 'Image', audio: 'Audio', video: 'Video', file: 'File' };

/** @param {Extract<Part, { kind: 'media' }>} part */
function mediaPlaceholder({ media, type, bytes: size, name }) {
  return el(
    'div',
    { class: 'placeholder' },
    el(
      'p',
      null,
      el('b', null, mediaNames[media]),
      type === null ? null : [' ', shortText(type, 100)],
      size === null ? ', not in the body' : `, ${bytes(size)}`,
    ),
    name === null || name === '' ? null : longText(name, { name: 'address', isCode: true, first: 300 }),
  );
}

/** @param {Extract<Part, { kind: 'call' }>} call */
function callContent({ id, name, input, others, result }) {
  return [
    el(
      'p',
      { class: 'part-name' },
      'Call of ',
      el('code', { class: 'id' }, name === '' ? 'a tool without a name' : shortText(name)),
      id === null ? null : el('small', null, ' ', el('code', { class: 'id' }, shortText(id, 100))),
    ),
    input === '' ? null : longText(input, { name: 'input', isCode: true, first: 2_000 }),
    others.length === 0 ? null : otherFields(others),
    result === null
      ? null
      : el(
          'div',
          { class: `call-result${result.isError ? ' failed' : ''}` },
          resultContent(result, result.isError ? 'Result, an error' : 'Result'),
        ),
  ];
}

/** @param {Extract<Part, { kind: 'result' }>} result @param {string} title */
function resultContent({ name, callId, parts }, title) {
  return [
    el(
      'p',
      { class: 'part-name' },
      title,
      name === null ? null : [' ', el('code', { class: 'id' }, shortText(name))],
      callId === null ? null : el('small', null, ' ', el('code', { class: 'id' }, shortText(callId, 100))),
    ),
    parts.length === 0 ? el('p', { class: 'quiet' }, 'It is empty.') : partList(parts),
  ];
}

/** @param {readonly Field[]} fields */
function otherFields(fields) {
  const names = fields.slice(0, 5).flatMap(({ name }, index) => [index === 0 ? null : ', ', ...shortText(name, 40)]);
  const title = ['Further fields ', el('small', null, names, fields.length > 5 ? ', …' : null)];
  return folded(title, () => fieldList(fields));
}

/** Names with their values. @param {readonly Field[]} fields */
export function fieldList(fields) {
  return el(
    'div',
    { class: 'field-list' },
    boundedList({
      length: fields.length,
      first: 40,
      last: 0,
      name: 'fields',
      item: (index) => {
        const field = fields[index];
        if (field === undefined) return null;
        return el(
          'div',
          { key: `${index}` },
          el('p', { class: 'part-name' }, el('code', { class: 'id' }, shortText(field.name))),
          longText(field.text, { name: 'value', isCode: true, first: 1_000 }),
        );
      },
    }),
  );
}
