import type { IncomingHttpHeaders } from 'node:http';
import type { BodyEncoding } from '../body/decoded-body.ts';
import { bodyEncodings } from '../body/decoded-body.ts';
import type { BodyFormat } from '../body/receive-body.ts';
import { Refusal } from './refusal.ts';

/** The formats that a route takes, by their `Content-Type`. */
export type BodyFormats = ReadonlyMap<string, BodyFormat>;

export const recordFormats: BodyFormats = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
] as const);

/** What the headers say of a body. @throws Refusal when it cannot be read, or is too large */
export function readBodyHeaders(
  headers: IncomingHttpHeaders,
  maxBytes: number,
  formats: BodyFormats = recordFormats,
): { format: BodyFormat; encoding: BodyEncoding } {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const format = formats.get(type);
  const isUtf8 = parameters.every((parameter) => !/^charset=(?!"?utf-?8"?$)/.test(parameter));
  if (format === undefined || !isUtf8)
    throw new Refusal(
      'unsupported-media-type',
      `Content-Type: accepted: ${[...formats.keys()].slice(0, 2).join(' or ')}, in UTF-8`,
    );
  const named = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const encoding = bodyEncodings.find((known) => known === named);
  if (encoding === undefined)
    throw new Refusal('unsupported-encoding', `Content-Encoding: accepted: ${bodyEncodings.join(', ')}`);
  if (Number(headers['content-length'] ?? 0) > maxBytes)
    throw new Refusal('too-large', `The body is larger than ${maxBytes} bytes; send its records in several bodies`);
  return { format, encoding };
}

const keyPattern = /^[\x21-\x7e]{1,200}$/;

/** Null: there is none. @throws Refusal */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && keyPattern.test(key)) return key;
  throw new Refusal('invalid-request', 'Idempotency-Key: accepted: 1 to 200 visible ASCII characters without spaces');
}
