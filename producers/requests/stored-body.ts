import { isUtf8 } from 'node:buffer';
import type { BodyEncoding } from '../../shared/contracts/completed-request.ts';
import { hugeChars } from '../core/storable-json.ts';

/** A body as it is stored. */
export interface StoredBody {
  /** the body, or its beginning, in its encoding */
  text: string;
  encoding: BodyEncoding;
  /** of the whole body, in UTF-8 if it came as text; a lower bound for a cut text of more than 16 Mi characters */
  bytes: number;
  /** only the beginning is stored, in whole characters */
  cut: boolean;
}

/**
 * Makes a body storable. What PostgreSQL accepts as text stays text. Bytes that are no UTF-8, and text with NUL, are kept
 * exactly, as base64. A lone surrogate has no bytes of its own and becomes U+FFFD.
 *
 * @param maxBytes of the body, before it becomes base64
 * @param onChange told what was changed
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
  // Each character takes at least a byte, so no more than this is kept or read of a longer text.
  const head = body.length > maxBytes ? firstWholeCharacters(body, maxBytes) : body;
  const isCounted = head === body || body.length <= hugeChars;
  const bytes = isCounted ? Buffer.byteLength(body) : Buffer.byteLength(head) + body.length - head.length;
  if (!isCounted) onChange('too long to be counted in bytes, its size is that of so many characters');
  const cut = bytes > maxBytes;
  const isWellFormed = head.isWellFormed();
  if (!isWellFormed) onChange('a lone surrogate replaced');
  const text = cut ? firstBytes(head, maxBytes) : isWellFormed ? head : head.toWellFormed();
  return text.includes('\0')
    ? { text: Buffer.from(text).toString('base64'), encoding: 'base64', bytes, cut }
    : { text, encoding: 'utf8', bytes, cut };
}

/** Leaves out half of a surrogate pair at the end. */
function firstWholeCharacters(body: string, chars: number): string {
  const last = body.charCodeAt(chars - 1);
  return body.slice(0, last >= 0xd800 && last <= 0xdbff ? chars - 1 : chars);
}

/** Returns a copy, since a slice would keep the whole body in memory. Buffer#write writes only whole characters. */
function firstBytes(text: string, maxBytes: number): string {
  const head = Buffer.allocUnsafe(maxBytes);
  return head.toString('utf8', 0, head.write(text));
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

/** Returns the last position up to `end` that is not within a UTF-8 character, or `end` if there is none. */
function endOfCharacters(bytes: Buffer, end: number): number {
  const isContinuation = (at: number): boolean => ((bytes[at] ?? 0) & 0b1100_0000) === 0b1000_0000;
  for (let at = end; at > end - longestCharacter && at >= 0; at -= 1) if (!isContinuation(at)) return at;
  return end;
}
