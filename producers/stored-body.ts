import { isUtf8 } from 'node:buffer';
import type { BodyEncoding } from '../shared/contracts/completed-request.ts';

/** A body as it is stored. */
export interface StoredBody {
  /** the body, or the beginning of it, in its encoding */
  text: string;
  encoding: BodyEncoding;
  /** of the whole body: in UTF-8 when it came as text */
  bytes: number;
  /** only the beginning is here, whole characters of it */
  cut: boolean;
}

/**
 * Makes a body storable. What PostgreSQL takes as text stays text; bytes that are no UTF-8, and text with NUL in it, are
 * kept exactly, as base64. A lone surrogate has no bytes of its own and becomes U+FFFD.
 *
 * @param maxBytes of the body, before it becomes base64
 * @param onChange told what was done to it
 * @throws TypeError when the bytes cannot be read
 */
export function toStoredBody(
  body: string | Uint8Array,
  maxBytes: number,
  onChange: (what: string) => void,
): StoredBody {
  const stored = typeof body === 'string' ? storeText(body, maxBytes, onChange) : storeBytes(body, maxBytes);
  if (stored.encoding === 'base64') onChange('no text that PostgreSQL takes, kept as base64');
  if (stored.cut) onChange(`cut from ${stored.bytes} to ${maxBytes} bytes`);
  return stored;
}

function storeText(body: string, maxBytes: number, onChange: (what: string) => void): StoredBody {
  const bytes = Buffer.byteLength(body);
  const cut = bytes > maxBytes;
  const isWellFormed = body.isWellFormed();
  if (!isWellFormed) onChange('a lone surrogate replaced');
  const text = cut ? firstCharacters(body, maxBytes) : isWellFormed ? body : body.toWellFormed();
  return text.includes('\0')
    ? { text: Buffer.from(text).toString('base64'), encoding: 'base64', bytes, cut }
    : { text, encoding: 'utf8', bytes, cut };
}

/** A copy, since a slice would keep the whole body in memory. Buffer#write writes whole characters only. */
function firstCharacters(body: string, maxBytes: number): string {
  const head = Buffer.allocUnsafe(maxBytes);
  return head.toString('utf8', 0, head.write(body.slice(0, maxBytes)));
}

function storeBytes(body: Uint8Array, maxBytes: number): StoredBody {
  const all = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const bytes = all.length;
  const cut = bytes > maxBytes;
  const head = cut ? all.subarray(0, endOfCharacters(all, maxBytes)) : all;
  return isUtf8(head) && !head.includes(0)
    ? { text: head.toString('utf8'), encoding: 'utf8', bytes, cut }
    : { text: all.toString('base64', 0, Math.min(bytes, maxBytes)), encoding: 'base64', bytes, cut };
}

const longestCharacter = 4;

/** The last place at or before `end` where no character of UTF-8 is torn apart; `end` where there is no such place. */
function endOfCharacters(bytes: Buffer, end: number): number {
  const isContinuation = (at: number): boolean => ((bytes[at] ?? 0) & 0b1100_0000) === 0b1000_0000;
  for (let at = end; at > end - longestCharacter && at >= 0; at -= 1) if (!isContinuation(at)) return at;
  return end;
}
