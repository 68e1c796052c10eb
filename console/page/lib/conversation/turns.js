/** @typedef {import('./conversation.d.ts').Part} Part */
/** @typedef {import('./conversation.d.ts').Turn} Turn */
/** @typedef {Extract<Part, { kind: 'call' }>} Call */

/**
 * A turn; none if it says nothing at all.
 *
 * @param {Turn['side']} side
 * @param {string} role
 * @param {Part[]} parts
 * @param {string | null} [finish]
 * @returns {Turn[]}
 */
export function toTurn(side, role, parts, finish = null) {
  return parts.length === 0 && finish === null ? [] : [{ side, role, parts, finish }];
}

/** A turn of such a role that only has results of calls says nothing more. */
const rolesOfResults = new Set(['tool', 'function', 'user', 'model', 'assistant']);

/**
 * Puts the results of tools below their calls: by the id of the call or, where there is none, by the name of the tool in the order of
 * the calls. A result without its call stays where it was.
 *
 * @param {Turn[]} turns
 * @returns {Turn[]}
 */
export function pairCalls(turns) {
  /** The calls that wait for a result, of which the first ones have theirs. @type {Map<string, { calls: Call[], answered: number }>} */
  const waiting = new Map();
  /** Whether it stays where it is. @param {Part} part */
  const stays = (part) => {
    if (part.kind === 'call' && part.result === null) {
      const key = part.id === null ? `name ${part.name}` : `id ${part.id}`;
      const before = waiting.get(key);
      if (before === undefined) waiting.set(key, { calls: [part], answered: 0 });
      else before.calls.push(part);
    }
    if (part.kind !== 'result') return true;
    const of = waiting.get(part.callId === null ? `name ${part.name}` : `id ${part.callId}`);
    const call = of?.calls[of.answered];
    if (of === undefined || call === undefined) return true;
    of.answered += 1;
    call.result = part;
    return false;
  };
  return turns.flatMap((turn) => {
    const parts = turn.parts.filter(stays);
    const isGone = parts.length === 0 && turn.parts.length > 0 && turn.finish === null && rolesOfResults.has(turn.role);
    return isGone ? [] : [{ ...turn, parts }];
  });
}
