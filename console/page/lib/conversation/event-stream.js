/**
 * @typedef {object} StreamEvent
 * @property {string | null} name
 * @property {string} data
 */

/** Whether a text begins like a stream of server-sent events. @param {string} text */
export function isEventStream(text) {
  return /^\uFEFF?\s{0,100}(?:data|event|id|retry)?:/.test(text.slice(0, 200));
}

/**
 * The events of a stream, and its lines that are no part of one: comments, and what has no meaning in such a stream. Without the blank
 * line at its end, an event is cut; it counts as an event here.
 *
 * @param {string} text
 * @returns {{ events: StreamEvent[], strays: string[] }}
 */
export function parseEventStream(text) {
  /** @type {StreamEvent[]} */
  const events = [];
  /** @type {string[]} */
  const strays = [];
  /** @type {string | null} */
  let name = null;
  /** @type {string[]} */
  let data = [];
  const dispatch = () => {
    if (data.length > 0) events.push({ name, data: data.join('\n') });
    else if (name !== null) strays.push(`event: ${name}`);
    name = null;
    data = [];
  };
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') dispatch();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line.startsWith('event:') && name === null) name = line.slice(line[6] === ' ' ? 7 : 6);
    else if (line !== ':') strays.push(line);
  }
  dispatch();
  return { events, strays };
}
