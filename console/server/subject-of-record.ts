import type { NameKind } from '../../names/display-name.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { findJsonMembers } from '../../shared/platform/json-members.ts';

const members: Record<QueueName, { kind: NameKind; key: string }> = {
  'execution-log': { kind: 'strategy', key: 'strategyId' },
  'completed-request': { kind: 'creator', key: 'createdBy' },
};

/** Whose record a dead letter holds, as far as its payload says so: what of it is wrong may be just that. */
export function subjectOfRecord(queue: string, payload: string): { kind: NameKind; id: string } | null {
  const member = Object.hasOwn(members, queue) ? members[queue as QueueName] : undefined;
  const found = member && findJsonMembers(payload)?.findLast(({ key }) => key === member.key);
  if (!found) return null;
  const id: unknown = JSON.parse(payload.slice(found.value, found.end));
  return typeof id === 'string' && id !== '' ? { kind: member.kind, id } : null;
}
