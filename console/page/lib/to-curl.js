/** @typedef {import('./conversation/conversation.d.ts').Body} Body */

/** Longer arguments of a command are refused by Linux. */
const maxArgumentChars = 100_000;

/** Parameters of an address that carry a key. */
const secret = /^(?:key|api[-_]?key|access[-_]?token|token|sig|signature)$/i;

/**
 * A command that sends a request again, for a POSIX shell. The address of the service and the key are variables, as neither is
 * stored. What cannot be typed or pasted safely, such as control characters, goes through base64.
 *
 * @param {{ method: string, path: string, body: Body }} request
 * @param {string | null} shape
 */
export function toCurlCommand({ method, path, body }, shape) {
  const isTyped = body.encoding === 'utf8' && !/[^\P{Cc}\t\n]/u.test(body.body);
  const address = `"$BASE_URL"${quoted(withoutKey(path))}`;
  const options = [
    `-X ${quoted(method)}`,
    ...headersOf(shape).map((header) => `-H ${header}`),
    ...(body.body === '' ? [] : ["-H 'content-type: application/json'"]),
  ];
  const note = body.isCut ? '# Only the beginning of the body was kept: complete it first.\n' : '';
  const command = (/** @type {string} */ data) =>
    [`curl ${address}`, ...options, ...(data === '' ? [] : [data])].join(' \\\n  ');
  if (body.body === '') return note + command('');
  if (!isTyped) {
    const base64 = body.encoding === 'base64' ? body.body : toBase64(body.body);
    return `${note}base64 -d <<'BODY' | ${command('--data-binary @-')}\n${base64}\nBODY\n`;
  }
  if (body.body.length <= maxArgumentChars) return note + command(`--data-raw ${quoted(body.body)}`);
  const end = freeWord(body.body);
  return `${note}${command(`--data-binary @- <<'${end}'`)}\n${body.body}\n${end}\n`;
}

/** @param {string | null} shape */
function headersOf(shape) {
  if (shape === 'anthropic-messages') return ['"x-api-key: $API_KEY"', "'anthropic-version: 2023-06-01'"];
  return shape === 'gemini' ? ['"x-goog-api-key: $API_KEY"'] : ['"authorization: Bearer $API_KEY"'];
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} path */
function withoutKey(path) {
  const [place = '', search] = splitOnce(path, '?');
  const kept = (search ?? '').split('&').filter((part) => part !== '' && !secret.test(part.split('=')[0] ?? ''));
  const all = kept.length === 0 ? place : `${place}?${kept.join('&')}`;
  return all.replaceAll(/[\p{Cc}\p{Cf}\s]/gu, (char) => encodeURIComponent(char));
}

/** @param {string} text @param {string} at */
function splitOnce(text, at) {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** A word that is no line of the text. @param {string} text */
function freeWord(text) {
  const longest = (text.match(/BODY_*/g) ?? ['']).reduce((most, { length }) => Math.max(most, length), 0);
  return 'BODY'.padEnd(longest + 1, '_');
}

/** @param {string} text */
function toBase64(text) {
  const bytes = new TextEncoder().encode(text);
  const parts = [];
  for (let at = 0; at < bytes.length; at += 0x6000)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000))));
  return parts.join('');
}
