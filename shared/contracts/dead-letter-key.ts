import { createHash } from 'node:crypto';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID in lower case; null for anything else. */
export function uuidOrNull(value: unknown): string | null {
  return typeof value === 'string' && uuidPattern.test(value) ? value.toLowerCase() : null;
}

/**
 * The key of a dead letter within its queue: the name of its record and a part of its text's hash, so that different text is a
 * different dead letter. Without a name, the key is the whole hash.
 */
export function toDeadLetterKey(name: string | null, payload: string): string {
  const hash = createHash('sha256').update(payload).digest('hex');
  return name === null ? `sha256:${hash}` : `${name}.${hash.slice(0, 16)}`;
}

/** The name of the record in a dead letter's key; the key itself if it contains none. */
export function deadLetterName(key: string): string {
  return key.replace(/\.[0-9a-f]{16}$/, '');
}

/** The keys of all dead letters with one name, as a range in byte order, in which `/` follows `.`. */
export function deadLetterKeysOf(name: string): { gte: string; lt: string } {
  return { gte: `${name}.`, lt: `${name}/` };
}
