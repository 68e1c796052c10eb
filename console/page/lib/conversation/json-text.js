/** JSON as text for people. Neither call stack nor time grows with the nesting of what may come from anywhere. */

/** Deeper levels are indented like this one: the spaces alone would otherwise grow with the square of the depth. */
const maxIndent = 16;
const spaces = Array.from({ length: maxIndent + 1 }, (_, depth) => `\n${'  '.repeat(depth)}`);

/** Such a level fits on a line of its own. */
const shortChars = 72;

/**
 * A value as JSON text, indented.
 *
 * @param {unknown} value as JSON.parse returns it
 */
export function toJsonText(value) {
  /** @type {string[]} */
  const out = [];
  /** what is to be written, the last first: texts as they are, values as JSON @type {({ text: string } | { value: unknown, depth: number })[]} */
  const toDo = [{ value, depth: 0 }];
  for (let next = toDo.pop(); next !== undefined; next = toDo.pop()) {
    if ('text' in next) {
      out.push(next.text);
      continue;
    }
    const { value: one, depth } = next;
    if (typeof one !== 'object' || one === null) {
      out.push(JSON.stringify(one) ?? 'null');
      continue;
    }
    const [open, close, entries] = Array.isArray(one)
      ? ['[', ']', one.map((item) => /** @type {[string, unknown]} */ (['', item]))]
      : ['{', '}', Object.entries(one).map(([name, item]) => [`${JSON.stringify(name)}: `, item])];
    if (entries.length === 0) {
      out.push(open, close);
      continue;
    }
    const isPlain = entries.length <= 8 && entries.every(([, item]) => isShort(item));
    const [before, after] = isPlain ? ['', ''] : [indent(depth + 1), indent(depth)];
    out.push(open);
    toDo.push({ text: after + close });
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const [name, item] = entries[index] ?? ['', null];
      toDo.push({ value: item, depth: depth + 1 });
      toDo.push({ text: `${index === 0 ? '' : isPlain ? ', ' : ','}${before}${name}` });
    }
  }
  return out.join('');
}

/** @param {unknown} value */
function isShort(value) {
  return typeof value === 'string' ? value.length <= shortChars / 4 : typeof value !== 'object' || value === null;
}

/** @param {number} depth */
function indent(depth) {
  return spaces[Math.min(depth, maxIndent)] ?? '';
}

/**
 * The value of a JSON text; undefined if it is none.
 *
 * @param {string} text
 * @returns {unknown}
 */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longer texts stay as they are: laying them out helps nobody. */
const layoutChars = 200_000;

/**
 * The text of a call's input: what a model wrote may be JSON, which is laid out if nothing of it gets lost by that.
 *
 * @param {string} text
 */
export function laidOut(text) {
  if (text.length > layoutChars) return text;
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return text;
  // A repeated name, or a number of many digits, would not come back as it was.
  return compact(text) === compact(toJsonText(value)) ? toJsonText(value) : text;
}

/** JSON text without the space between its tokens. @param {string} json */
function compact(json) {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|\s+/g, (token) => (token.startsWith('"') ? token : ''));
}
