/** @typedef {import('./conversation.d.ts').Body} Body */

/**
 * The text of a stored body: base64 is decoded if it is text after all, such as one with a NUL.
 *
 * @param {Body} body
 * @returns {{ text: string, isBinary: boolean }} binary: `text` is the base64
 */
export function textOfBody({ body, encoding }) {
  if (encoding !== 'base64') return { text: body, isBinary: false };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(body), { stream: true }), isBinary: false };
  } catch {
    return { text: body, isBinary: true };
  }
}

/** @param {string} base64 */
function bytesOf(base64) {
  const binary = atob(base64.slice(0, base64.length - (base64.length % 4)));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
