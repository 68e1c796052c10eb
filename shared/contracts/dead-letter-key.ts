import { createHash } from 'node:crypto';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A UUID in lower case; null for anything else. */
export function uuidOrNull(value: unknown): string | null {
  return typeof value === 'string' && uuidPattern.test(value) ? value.toLowerCase() : null;
}

/**
 * Names a dead letter within its queue: the name of its record, and a part of its text's hash, so that other text is another
 * dead letter. Without a name it is the whole hash.
 */
export function toDeadLetterKey(name: string | null, payload: string): string {
  const hash = createHash('sha256').update(payload).digest('hex');
  return name === null ? `sha256:${hash}` : `${name}.${hash.slice(0, 16)}`;
}

/** The name of the record in a dead letter's key; the key itself when there is none in it. */
export function deadLetterName(key: string): string {
  return key.replace(/\.[0-9a-f]{16}$/, '');
}

/** The keys of all dead letters of one name, as a range in the order of bytes: `/` follows `.` there. */
export function deadLetterKeysOf(name: string): { gte: string; lt: string } {
  return { gte: `${name}.`, lt: `${name}/` };
}
