import type { QueueFacts } from '../../queries/queues/queue-facts.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { queueKeys } from '../../shared/platform/redis/read-queue.ts';
import type { Answer } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';
import { versionNumbers } from '../version.ts';

const waitWarnSeconds = 60;
const waitFailSeconds = 900;

/** BullMQ's own default; trimming by whole nodes of the stream may leave some more. */
const defaultEventsKept = 10_000;
const eventsSlack = 1_000;

/** The queue to check, and what it is checked against. */
export interface QueueContext {
  queue: QueueName;
  namespace: string;
  /** version of BullMQ in this build */
  ownVersion: string;
  /** names of all Redis connections */
  clientNames: Answer<readonly string[]>;
}

/** The state of a queue, and whether anybody works on it. */
export function checkQueue(facts: Answer<QueueFacts>, context: QueueContext): Finding[] {
  const on = findingsOn(`queue ${context.queue}`);
  if (!facts.known)
    return [
      on.failure(
        'jobs',
        `could not be checked: ${facts.why}`,
        'workers cannot read it either: check the server, and the rights of the user in REDIS_URL',
      ),
    ];
  return [
    checkLibrary(facts.value, context),
    checkBacklog(facts.value, context),
    checkWorkers(facts.value, context),
    checkFailed(facts.value, context),
    checkEvents(facts.value, context),
  ];
}

/** Different BullMQ versions run different scripts on the same keys. */
function checkLibrary({ library }: QueueFacts, { queue, ownVersion }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const check = 'bullmq';
  if (library === null) return on.ok(check, 'not used yet');
  const [name = '', theirs = ''] = library.split(':');
  const [major, minor] = versionNumbers(theirs);
  const [ownMajor, ownMinor] = versionNumbers(ownVersion);
  const remedy = 'run producers and workers from the same build of Sluice';
  if (name !== 'bullmq' || theirs === '')
    return on.warning(check, `last opened by ${library}, not by the BullMQ of this build (${ownVersion})`, remedy);
  if (major !== ownMajor)
    return on.failure(check, `last opened by BullMQ ${theirs}; this build has ${ownVersion}`, remedy);
  return on.ok(check, minor === ownMinor ? theirs : `${theirs}, this build has ${ownVersion}`);
}

function checkBacklog(
  { waiting, delayed, active, oldestWaitSeconds, paused }: QueueFacts,
  { queue }: QueueContext,
): Finding {
  const on = findingsOn(`queue ${queue}`);
  const check = 'backlog';
  const age = oldestWaitSeconds === null ? '' : `, the oldest for ${Math.round(oldestWaitSeconds)} s`;
  const message = `${waiting} jobs wait${age}; ${active} active, ${delayed} delayed`;
  if (oldestWaitSeconds !== null && oldestWaitSeconds > waitFailSeconds)
    return on.failure(check, paused ? `paused; ${message}` : message, paused ? resume(queue) : keepUp);
  if (paused) return on.warning(check, `paused; ${message}`, resume(queue));
  if (oldestWaitSeconds !== null && oldestWaitSeconds > waitWarnSeconds) return on.warning(check, message, keepUp);
  return on.ok(check, message);
}

const keepUp = 'start more workers, and check their logs and PostgreSQL';

function resume(queue: QueueName): string {
  return `resume it: sluice queues resume ${queue}`;
}

function checkWorkers(facts: QueueFacts, { queue, namespace, clientNames }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const check = 'workers';
  if (!clientNames.known)
    return on.warning(
      check,
      `could not check whether any is connected: ${clientNames.why}`,
      'allow the user in REDIS_URL to call CLIENT LIST, or check the workers yourself',
    );
  const connected = queueKeys(queue, namespace).countWorkers(clientNames.value);
  if (connected > 0) return on.ok(check, `${connected} connected`);
  const start = `start one: sluice worker ${queue}`;
  if (facts.active > 0)
    return on.warning(check, `none is connected, and a worker that died left ${facts.active} active jobs`, start);
  if (facts.waiting + facts.delayed > 0) return on.warning(check, 'none is connected, and jobs wait', start);
  return on.ok(check, 'none is connected, and there is nothing to do');
}

function checkFailed({ failed }: QueueFacts, { queue, namespace }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  if (failed === 0) return on.ok('failed', 'none');
  const key = queueKeys(queue, namespace).of('failed');
  return on.warning(
    'failed',
    `${failed} jobs; beyond SLUICE_FAILED_JOBS_KEPT, the oldest are deleted together with their records`,
    `list them: redis-cli ZREVRANGE '${key}' 0 9; fix the cause, then retry them: sluice queues retry ${queue}`,
  );
}

function checkEvents({ events, eventsKept }: QueueFacts, { queue, namespace }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const kept = eventsKept ?? defaultEventsKept;
  const message = `${events} entries; about ${kept} are to be kept`;
  if (events <= 2 * kept + eventsSlack) return on.ok('events', message);
  const key = queueKeys(queue, namespace).of('events');
  return on.warning('events', message, `nobody reads them, so trim them: redis-cli XTRIM '${key}' MAXLEN '~' ${kept}`);
}
