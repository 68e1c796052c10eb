/** @typedef {Extract<import('./conversation.d.ts').Part, { kind: 'media' }>} MediaPart */

/**
 * A file that is in the body as base64.
 *
 * @param {string} data
 * @param {{ type?: string | null, name?: string | null, media?: MediaPart['media'] }} [about]
 * @returns {MediaPart}
 */
export function ofBase64(data, { type = null, name = null, media } = {}) {
  return { kind: 'media', media: media ?? mediaOf(type), type, bytes: base64Bytes(data), name };
}

/**
 * A file by its address, which may be a `data:` URL that holds it.
 *
 * @param {string} url
 * @param {MediaPart['media']} media
 * @param {string | null} [type]
 * @returns {MediaPart}
 */
export function ofUrl(url, media, type = null) {
  const head = /^data:([^,;]{0,200})((?:;[^,;]{0,200}){0,10}),/i.exec(url.slice(0, 3_000));
  if (head === null) return { kind: 'media', media, type, bytes: null, name: url };
  const isBase64 = /;base64$/i.test(head[2] ?? '');
  const data = url.slice(head[0].length);
  const ofHead = head[1] === '' ? null : (head[1] ?? null);
  // Text of a URL is text of the body.
  if (!isBase64) return { kind: 'media', media, type: ofHead ?? type, bytes: data.length, name: url };
  return ofBase64(data, { type: ofHead ?? type, media });
}

/** @param {string | null} type of MIME @returns {MediaPart['media']} */
function mediaOf(type) {
  const [kind] = (type ?? '').split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file';
}

/** @param {string} data */
function base64Bytes(data) {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  return Math.max(0, Math.floor((data.length * 3) / 4) - padding);
}
