import { createHash } from 'node:crypto';

/** Whose data can be erased: a user's, or a whole realm's. */
export const subjectKinds = ['user', 'realm'] as const;

/** A person, or a realm. */
export interface ErasureSubject {
  kind: (typeof subjectKinds)[number];
  /** as records carry it */
  id: string;
}

/** What is kept of an erased id: its SHA-256, in hexadecimal. */
export function hashOfId(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/** What stands for an erased realm in the ledger, so that its accounts still balance. */
export function erasedRealm(id: string): string {
  return `*${hashOfId(id).slice(0, erasedRealmDigits)}`;
}

/** Of its hash. */
export const erasedRealmDigits = 16;

/** The fields of records in any queue that say whose they are and when they were made. */
const owners = [
  { kind: 'user', field: 'externalUserId', time: 'recordedAt' },
  { kind: 'realm', field: 'realmId', time: 'recordedAt' },
  { kind: 'creator', field: 'createdBy', time: 'startedAt' },
] as const;

/** Somebody whom a record belongs to. */
export interface RecordOwner {
  /** for erasure, a creator of requests is a user */
  kind: (typeof owners)[number]['kind'];
  id: string;
  /** when the record was made, ISO 8601; null if it does not say */
  madeAt: string | null;
}

/** Whom a record belongs to, by its own fields. Accepts anything. */
export function ownersOf(record: unknown): RecordOwner[] {
  if (typeof record !== 'object' || record === null) return [];
  const fields = record as Record<string, unknown>;
  return owners.flatMap(({ kind, field, time }) => {
    const id = fields[field];
    return typeof id === 'string' ? [{ kind, id, madeAt: toTime(fields[time]) }] : [];
  });
}

/** Whether a record belongs to the subject. */
export function isOwner({ kind, id }: RecordOwner, subject: ErasureSubject): boolean {
  return id === subject.id && (kind === 'creator' ? 'user' : kind) === subject.kind;
}

function toTime(value: unknown): string | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
