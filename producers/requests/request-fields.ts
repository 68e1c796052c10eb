import { requestLimits, type ServiceTier, serviceTiers } from '../../shared/contracts/completed-request.ts';
import { isUuid, kindOf, noteImplausible, quote, toIso, toStorableMs } from '../core/field-reader.ts';
import type { Notes } from '../core/notes.ts';
import type { HashApiKey } from './api-key-hash.ts';

/**
 * Returns the id in lower case.
 *
 * @throws TypeError when it is no UUID: nobody who looks for the request would know an id of our own
 */
export function requireRequestId(id: unknown): string {
  if (isUuid(id)) return id.toLowerCase();
  throw new TypeError(
    `requestId is ${describe(id)}; give a UUID, such as one from crypto.randomUUID(), the same one to begin and send`,
  );
}

/**
 * Returns the owner of the request, trimmed.
 *
 * @throws TypeError when it is blank, too long, or contains what PostgreSQL refuses. It is never cut or repaired: the result
 *   might be the name of somebody else, who would then see the request.
 */
export function requireCreator(creator: unknown): string {
  const remedy = `give the id of the person or organisation that the request belongs to, at most ${requestLimits.identifierChars} characters`;
  if (typeof creator !== 'string') throw new TypeError(`createdBy is ${kindOf(creator)}; ${remedy}, as text`);
  // Surrounding spaces do not justify a longer text.
  if (creator.length > requestLimits.identifierChars * 4)
    throw new TypeError(`createdBy has ${creator.length} characters; ${remedy}`);
  const trimmed = creator.trim();
  if (trimmed === '') throw new TypeError(`createdBy is blank; ${remedy}`);
  if (trimmed.length > requestLimits.identifierChars)
    throw new TypeError(`createdBy has ${trimmed.length} characters; ${remedy}`);
  if (trimmed.includes('\0') || !trimmed.isWellFormed())
    throw new TypeError(`createdBy contains a NUL or a lone surrogate; ${remedy}, without these`);
  return trimmed;
}

/** Stored in place of an invalid status: a failure that no server sends, so that it stands out. */
const noStatusCode = 599;

const statusChars = 100;

export function readStatusCode(code: unknown, notes: Notes): number {
  const number = typeof code === 'string' && code.length <= statusChars && code.trim() !== '' ? Number(code) : code;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 100 && number <= 599) {
    if (number !== code) notes.changed('statusCode', 'text stored as a number');
    return number;
  }
  notes.changed('statusCode', `${quote(code)} is no status code of HTTP, stored as ${noStatusCode}`);
  return noStatusCode;
}

const tiers = new Set<unknown>(serviceTiers);
const defaultTier: ServiceTier = 'priority';

export function readServiceTier(tier: unknown, notes: Notes): ServiceTier {
  if (tiers.has(tier)) return tier as ServiceTier;
  if (tier !== undefined && tier !== null)
    notes.changed('serviceTier', `${quote(tier)} is not known, stored as ${defaultTier}`);
  return defaultTier;
}

export function readFlag(name: string, flag: unknown, notes: Notes): boolean {
  if (typeof flag === 'boolean') return flag;
  if (flag !== undefined && flag !== null) notes.changed(name, `${kindOf(flag)} stored as false`);
  return false;
}

/** A longer text is no key and takes time to hash. */
const apiKeyChars = 65_536;

const apiKeyHashPattern = /^[0-9a-f]{64}$/i;

/** Returns the hash of the key, or the given hash. Notes never show a value here: it may be a key in the wrong field. */
export function readApiKeyHash(
  { apiKey, apiKeyHash }: { apiKey: unknown; apiKeyHash: unknown },
  hash: HashApiKey | null,
  notes: Notes,
): string | undefined {
  if (typeof apiKey === 'string' && apiKey.length > apiKeyChars) {
    notes.changed('apiKey', `has more than ${apiKeyChars} characters, left out`);
  } else if (typeof apiKey === 'string' && apiKey !== '') {
    if (hash !== null) return hash(apiKey);
  } else if (apiKey !== undefined && apiKey !== null && apiKey !== '') {
    notes.changed('apiKey', 'no text, left out');
  }
  if (typeof apiKeyHash === 'string' && apiKeyHashPattern.test(apiKeyHash)) return apiKeyHash.toLowerCase();
  if (apiKeyHash !== undefined && apiKeyHash !== null)
    notes.changed('apiKeyHash', 'not 64 hexadecimal digits, left out');
  return undefined;
}

/** Returns when a running request began, as ISO 8601. */
export function readStart(startedAt: unknown, nowMs: number, notes: Notes): string {
  const ms = toStorableMs(startedAt);
  if (ms !== null) {
    noteImplausible('startedAt', ms, nowMs, notes);
    return toIso(ms);
  }
  noteTime('startedAt', startedAt, 'the time of the call is stored', notes);
  return toIso(nowMs);
}

/** Returns when a request began and ended, as ISO 8601. A missing time is taken from the other; the end is never first. */
export function readSpan(
  { startedAt, completedAt }: { startedAt: unknown; completedAt: unknown },
  nowMs: number,
  notes: Notes,
): { startedAt: string; completedAt: string } {
  const givenStart = toStorableMs(startedAt);
  const givenEnd = toStorableMs(completedAt);
  if (givenStart === null) {
    const stored = givenEnd === null ? 'the time of the call' : 'completedAt';
    noteTime('startedAt', startedAt, `${stored} is stored`, notes);
  }
  if (givenEnd === null) noteTime('completedAt', completedAt, 'the time of the call is stored', notes);
  if (givenStart !== null) noteImplausible('startedAt', givenStart, nowMs, notes);
  if (givenEnd !== null) noteImplausible('completedAt', givenEnd, nowMs, notes);
  const start = givenStart ?? givenEnd ?? nowMs;
  const end = givenEnd ?? nowMs;
  if (end < start) notes.changed('completedAt', `${toIso(end)} is before startedAt, which is stored for both`);
  return { startedAt: toIso(start), completedAt: toIso(Math.max(start, end)) };
}

/** Returns when the first token arrived, as ISO 8601; undefined when that is not known, or not within the request. */
export function readFirstToken(
  firstTokenAt: unknown,
  { startedAt, completedAt }: { startedAt: string; completedAt: string },
  notes: Notes,
): string | undefined {
  if (firstTokenAt === undefined || firstTokenAt === null) return undefined;
  const ms = toStorableMs(firstTokenAt);
  if (ms === null) {
    notes.changed('firstTokenAt', `${quote(firstTokenAt)} is no time, left out`);
    return undefined;
  }
  const iso = toIso(ms);
  if (iso >= startedAt && iso <= completedAt) return iso;
  notes.changed('firstTokenAt', `${iso} is not between startedAt and completedAt, left out`);
  return undefined;
}

function noteTime(name: string, time: unknown, what: string, notes: Notes): void {
  const given = time === undefined || time === null ? 'is missing' : `${quote(time)} is no time`;
  notes.changed(name, `${given}, ${what}`);
}

function describe(value: unknown): string {
  return value === undefined || value === null ? 'missing' : quote(value);
}
