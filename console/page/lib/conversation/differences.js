import { textOfTurn } from './turn-text.js';

/** @typedef {import('./conversation.d.ts').Field} Field */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {{ kind: 'same' | 'removed' | 'added', text: string }} Segment a piece of a text: of both, only of the first, only of the second */

/**
 * A turn of two conversations: in both, changed from one to the other, or in one of them only.
 *
 * @typedef {{ kind: 'same' | 'changed' | 'removed' | 'added', a: Turn | null, b: Turn | null }} TurnDifference
 */

/** Comparing takes time in proportion to the product: beyond it, only what both begin and end with is taken to be the same. */
const maxProduct = 400_000;

/**
 * Two conversations turn by turn.
 *
 * @param {readonly Turn[]} a
 * @param {readonly Turn[]} b
 * @returns {TurnDifference[]}
 */
export function compareTurns(a, b) {
  const key = (/** @type {Turn} */ turn) => `${turn.role}\n${textOfTurn(turn)}`;
  const [keysA, keysB] = [a.map(key), b.map(key)];
  /** @type {TurnDifference[]} */
  const found = [];
  const runs = align(keysA, keysB);
  for (const [index, { kind, from, to }] of runs.entries()) {
    if (kind === 'same') for (const turn of b.slice(from, to)) found.push({ kind, a: turn, b: turn });
    else if (kind === 'removed') {
      const next = runs[index + 1];
      const added = next?.kind === 'added' ? b.slice(next.from, next.to) : [];
      for (const one of replaced(a.slice(from, to), added)) found.push(one);
    } else if (runs[index - 1]?.kind !== 'removed')
      for (const turn of b.slice(from, to)) found.push({ kind, a: null, b: turn });
  }
  return found;
}

/**
 * A turn in place of one of the same role is that one changed.
 *
 * @param {readonly Turn[]} removed
 * @param {readonly Turn[]} added
 * @returns {TurnDifference[]}
 */
function replaced(removed, added) {
  /** @type {TurnDifference[]} */
  const found = [];
  let at = 0;
  for (const a of removed) {
    const b = added[at];
    const isChanged = b?.role === a.role;
    found.push({ kind: isChanged ? 'changed' : 'removed', a, b: isChanged ? (b ?? null) : null });
    if (isChanged) at += 1;
  }
  for (const b of added.slice(at)) found.push({ kind: 'added', a: null, b });
  return found;
}

/**
 * Two texts by their lines or, if they have few, by their words.
 *
 * @param {string} a
 * @param {string} b
 * @returns {Segment[]}
 */
export function compareTexts(a, b) {
  const isProse = Math.max(a.length, b.length) < 20_000;
  const cut = (/** @type {string} */ text) =>
    isProse ? (text.match(/\s+|[^\s]+/g) ?? []) : (text.match(/[^\n]*\n|[^\n]+/g) ?? []);
  const [ofA, ofB] = [cut(a), cut(b)];
  return align(ofA, ofB).map(({ kind, from, to }) => ({
    kind,
    text: (kind === 'removed' ? ofA : ofB).slice(from, to).join(''),
  }));
}

/**
 * The named values of two requests that differ.
 *
 * @param {readonly Field[]} a
 * @param {readonly Field[]} b
 * @returns {{ name: string, a: string | null, b: string | null }[]}
 */
export function compareFields(a, b) {
  const [ofA, ofB] = [a, b].map((fields) => new Map(fields.map(({ name, text }) => [name, text])));
  return [...new Set([...a, ...b].map(({ name }) => name))].flatMap((name) => {
    const [before, after] = [ofA?.get(name) ?? null, ofB?.get(name) ?? null];
    return before === after ? [] : [{ name, a: before, b: after }];
  });
}

/** @typedef {{ kind: Segment['kind'], from: number, to: number }} Run indexes into the first list if removed, otherwise into the second */

/** @param {readonly string[]} a @param {readonly string[]} b @returns {Run[]} */
function align(a, b) {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const [endA, endB] = [a.length - tail, b.length - tail];
  /** @type {Run[]} */
  const runs = [{ kind: 'same', from: 0, to: head }];
  if ((endA - head) * (endB - head) > maxProduct) {
    runs.push({ kind: 'removed', from: head, to: endA }, { kind: 'added', from: head, to: endB });
  } else runs.push(...alignMiddle(a.slice(head, endA), b.slice(head, endB), head));
  runs.push({ kind: 'same', from: endB, to: b.length });
  return runs.filter(({ from, to }) => to > from);
}

/** The longest common subsequence. @param {readonly string[]} a @param {readonly string[]} b @param {number} offset @returns {Run[]} */
function alignMiddle(a, b, offset) {
  const wide = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * wide);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const [down, right] = [longest[(i + 1) * wide + j] ?? 0, longest[i * wide + j + 1] ?? 0];
      longest[i * wide + j] = a[i] === b[j] ? (longest[(i + 1) * wide + j + 1] ?? 0) + 1 : Math.max(down, right);
    }
  }
  /** @type {Run[]} */
  const runs = [];
  /** @param {Segment['kind']} kind @param {number} at */
  const add = (kind, at) => {
    const last = runs.at(-1);
    if (last?.kind === kind && last.to === at + offset) last.to += 1;
    else runs.push({ kind, from: at + offset, to: at + offset + 1 });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add('same', j);
      i += 1;
      j += 1;
    } else if (
      j >= b.length ||
      (i < a.length && (longest[(i + 1) * wide + j] ?? 0) >= (longest[i * wide + j + 1] ?? 0))
    ) {
      add('removed', i);
      i += 1;
    } else {
      add('added', j);
      j += 1;
    }
  }
  return runs;
}
