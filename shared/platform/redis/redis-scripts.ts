/**
 * BullMQ's scripts that must work while Redis is full: those by which jobs are taken, kept, ended, put back and removed, so
 * that somebody can make room; and those of the timetable of maintenance, which is three jobs and never more. What adds
 * records is not among them: it is to be refused.
 */
const neededWhenFull = new Set([
  'moveToActive',
  'moveToFinished',
  'moveToDelayed',
  'moveJobFromActiveToWait',
  'moveStalledJobsToWait',
  'extendLock',
  'extendLocks',
  'releaseLock',
  'retryJob',
  'saveStacktrace',
  'promote',
  'moveJobsToWait',
  'reprocessJob',
  'pause',
  'drain',
  'cleanJobsInSet',
  'removeJob',
  'removeOrphanedJobs',
  'obliterate',
  'addJobScheduler',
  'updateJobScheduler',
  'removeJobScheduler',
]);

/**
 * Lets a script that writes run while Redis is full. Redis refuses a command that may take memory only before the first
 * write of a script, and never stops one half-way; so this writes first: a deletion, which needs no memory, of a key that
 * is never there. It works on every Redis and on Valkey, where `#!lua flags=allow-oom` needs Redis 7; see ADR 0015.
 *
 * @param lua has one key at least; the deleted one is in its slot and begins as it does
 */
export function evenWhenFull(lua: string): string {
  return `redis.call('DEL', KEYS[1] .. ':none')\n${lua}`;
}

/** Whether a script of BullMQ must work while Redis is full. @param command its name, with or without BullMQ's version behind it */
export function isNeededWhenFull(command: string): boolean {
  return neededWhenFull.has(command.split(':', 1)[0] ?? '');
}
