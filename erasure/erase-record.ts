import { type ErasureSubject, isOwner, ownersOf } from '../shared/contracts/erasure-subject.ts';
import { executionLimits } from '../shared/contracts/execution.ts';
import type { QueueName } from '../shared/contracts/queues.ts';
import { findJsonMembers, type JsonMember } from '../shared/platform/json-members.ts';
import { jsonOrNull } from '../shared/platform/json-or-null.ts';
import { createNaming, type Naming } from './naming.ts';

/** The criteria of an erasure. */
export interface ErasureScope {
  subject: ErasureSubject;
  naming: Naming;
  /** the subject's records made until then are erased: ISO 8601; newer ones are left unchanged */
  before: string;
  /** whether other people's records that name the subject are left unchanged */
  ownOnly: boolean;
}

export function createScope(subject: ErasureSubject, options: { before: Date; ownOnly: boolean }): ErasureScope {
  return { subject, naming: createNaming(subject.id), before: options.before.toISOString(), ownOnly: options.ownOnly };
}

/** What happens to a record. */
export type RecordDisposition =
  | { kind: 'kept' }
  /** it is the subject's */
  | { kind: 'erased' }
  /** it is somebody else's and named the subject: these parts of it were removed */
  | { kind: 'blanked'; json: string };

/** The optional parts of an execution, and what replaces the text parts of a request. */
const blanks: Record<QueueName, Record<string, string | null>> = {
  'execution-log': {
    realmId: null,
    externalGameId: null,
    externalTaskId: null,
    externalUserId: null,
    errorCode: null,
    errorMessage: null,
    failedNodeId: null,
    caseName: null,
    trace: null,
    parentStrategyId: null,
    astHash: null,
    input: null,
    notes: null,
  },
  'completed-request': {
    model: '""',
    endpoint: '""',
    requestBody: '""',
    responseBody: '""',
    notes: null,
    provider: null,
  },
};

/**
 * Decides about one record, by its text. What stays of it keeps its text. What names the subject but is required by the
 * contract, such as the id of a strategy, stays.
 */
export function eraseFromRecord(queue: QueueName, json: string, scope: ErasureScope): RecordDisposition {
  const { naming, ownOnly, before, subject } = scope;
  const record = jsonOrNull(json);
  const own = ownersOf(record).filter((owner) => isOwner(owner, subject));
  if (own.some(({ madeAt }) => madeAt === null || madeAt <= before)) return { kind: 'erased' };
  if (own.length > 0 || ownOnly) return { kind: 'kept' };
  const members = findJsonMembers(json);
  if (members === null) return { kind: naming.isInJson(json) ? 'erased' : 'kept' };
  const namesThem = ({ key, value, end }: JsonMember): boolean =>
    naming.isInJson(json.slice(value, end)) || naming.isIn(decodedBody(record as Record<string, unknown>, key));
  const named = members.filter((member) => Object.hasOwn(blanks[queue], member.key) && namesThem(member));
  if (named.length === 0) return { kind: 'kept' };
  const keys = named.map(({ key }) => key);
  const kept = members.flatMap((member) => {
    if (!keys.includes(member.key)) return member.key === 'notes' ? [] : [json.slice(member.start, member.end)];
    const blank = blanks[queue][member.key] ?? null;
    return blank === null ? [] : [`${JSON.stringify(member.key)}:${blank}`];
  });
  const notes = keys.includes('notes') ? null : (record as { notes?: unknown } | null)?.notes;
  return { kind: 'blanked', json: `{${[...kept, `"notes":${JSON.stringify(toNotes(notes, keys))}`].join(',')}}` };
}

/** The contents of a body that is kept as base64; nothing for any other. */
function decodedBody(record: Record<string, unknown>, key: string): string {
  const body = record[key];
  const isEncoded = key.endsWith('Body') && record[key.replace('Body', 'Encoding')] === 'base64';
  return isEncoded && typeof body === 'string' ? Buffer.from(body, 'base64').toString() : '';
}

/** What the notes of a row or a record say about it. */
function toNotes(notes: unknown, keys: readonly string[]): string {
  const erased = `erased: ${keys.join(', ')}`;
  const both = typeof notes === 'string' && notes !== '' ? `${notes}; ${erased}` : erased;
  return both.length <= executionLimits.notesChars ? both : erased;
}
