import type { QueueFacts } from '../../queries/queues/queue-facts.ts';
import { type QueueName, type ShardName, shardIndex } from '../../shared/contracts/queues.ts';
import { queueKeys } from '../../shared/platform/redis/read-queue.ts';
import type { Answer } from '../answer.ts';
import { type Finding, findingsOn, worstOf } from '../finding.ts';
import { versionNumbers } from '../version.ts';

const waitWarnSeconds = 60;
const waitFailSeconds = 900;

/** BullMQ's own default; trimming by whole nodes of the stream may leave some more. */
const defaultEventsKept = 10_000;
const eventsSlack = 1_000;

/** A shard of the queue, as far as its server told. */
export interface ShardFacts {
  shard: ShardName;
  facts: Answer<QueueFacts>;
  /** host and port of its server; null: unknown */
  server: string | null;
  /** names of all connections to its server */
  clientNames: Answer<readonly string[]>;
}

/** The queue to check, and what it is checked against. */
export interface QueueContext {
  queue: QueueName;
  namespace: string;
  /** version of BullMQ in this build */
  ownVersion: string;
  /** how many shards may be there although nobody said so: their servers did not answer */
  unansweredShards: number;
  /** SLUICE_QUEUE_SHARDS here */
  producersShards: number;
  /** how many servers of a cluster may have shards; 1 if it is none */
  servers: number;
}

/** A shard that could be read. */
type ReadShard = Omit<ShardFacts, 'facts'> & QueueFacts;

/** The state of a queue as a whole, and whether anybody works on it. A shard is named where something is wrong with it. */
export function checkQueue(shards: readonly ShardFacts[], context: QueueContext): Finding[] {
  const read = shards.flatMap(({ facts, ...shard }): ReadShard[] =>
    facts.known ? [{ ...shard, ...facts.value }] : [],
  );
  const silent = checkSilent(shards, context);
  if (read.length === 0) return silent;
  return [
    ...silent,
    worstOfShards(read, (shard) => checkLibrary(shard, context)),
    checkBacklog(read, context),
    checkWorkers(read, context),
    checkFailed(read, context),
    worstOfShards(read, (shard) => checkEvents(shard, context)),
    ...checkShards(read, context),
  ];
}

function checkSilent(shards: readonly ShardFacts[], { queue, unansweredShards }: QueueContext): Finding[] {
  const on = findingsOn(`queue ${queue}`);
  const silent = shards.flatMap(({ shard, facts }) => (facts.known ? [] : [{ shard, why: facts.why }]));
  const [first] = silent;
  const names = shards.length === 1 ? '' : `${namesOf(silent)} `;
  const messages = [
    ...(first === undefined ? [] : [`${names}could not be checked: ${first.why}`]),
    // If no shard can be read, this would say the same again.
    ...(unansweredShards === 0 || silent.length === shards.length
      ? []
      : [`servers that may have ${unansweredShards} more shards do not answer`]),
  ];
  if (messages.length === 0) return [];
  const remedy = 'workers cannot read it either: check the server, and the rights of the user in REDIS_URL';
  return [on.failure('jobs', messages.join('; '), remedy)];
}

const mostNames = 5;

function namesOf(shards: readonly { shard: ShardName }[]): string {
  const names = shards.slice(0, mostNames).map(({ shard }) => shard);
  return names.join(', ') + (shards.length > mostNames ? ` and ${shards.length - mostNames} more` : '');
}

/** The worst of what there is to say of each shard; of several it names the one that it is about. */
function worstOfShards(shards: readonly ReadShard[], check: (shard: ReadShard) => Finding): Finding {
  const findings = shards.map((shard) => ({ shard, finding: check(shard) }));
  const worst = worstOf(findings.map(({ finding }) => finding));
  const { shard, finding } = findings.find((one) => one.finding.level === worst) as (typeof findings)[number];
  if (shards.length === 1 || worst === 'ok') return finding;
  return { ...finding, message: `${shard.shard}: ${finding.message}` };
}

function sumOf(shards: readonly ReadShard[], count: 'waiting' | 'active' | 'delayed' | 'failed'): number {
  return shards.reduce((sum, shard) => sum + shard[count], 0);
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

function checkBacklog(shards: readonly ReadShard[], { queue }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const check = 'backlog';
  const ages = shards.flatMap(({ oldestWaitSeconds }) => oldestWaitSeconds ?? []);
  const oldestWaitSeconds = ages.length === 0 ? null : Math.max(...ages);
  const age = oldestWaitSeconds === null ? '' : `, the oldest for ${Math.round(oldestWaitSeconds)} s`;
  const counts = `${sumOf(shards, 'active')} active, ${sumOf(shards, 'delayed')} delayed`;
  const backlog = `${sumOf(shards, 'waiting')} jobs wait${age}; ${counts}`;
  const paused = shards.filter((shard) => shard.paused);
  const isPaused = paused.length > 0;
  const which = paused.length === shards.length ? '' : `${namesOf(paused)} `;
  const message = isPaused ? `${which}paused; ${backlog}` : backlog;
  if (oldestWaitSeconds !== null && oldestWaitSeconds > waitFailSeconds)
    return on.failure(check, message, isPaused ? resume(queue) : keepUp);
  if (isPaused) return on.warning(check, message, resume(queue));
  if (oldestWaitSeconds !== null && oldestWaitSeconds > waitWarnSeconds) return on.warning(check, message, keepUp);
  return on.ok(check, message);
}

const keepUp = 'start more workers, and check their logs and PostgreSQL';

function resume(queue: QueueName): string {
  return `resume it: sluice queues resume ${queue}`;
}

/** A process has a connection that waits at each shard; one that has just started has not found all of them. */
function checkWorkers(shards: readonly ReadShard[], { queue, namespace }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const check = 'workers';
  const asked = shards.map(({ clientNames, ...shard }) => ({
    ...shard,
    connected: clientNames.known ? queueKeys(shard.shard, namespace).countWorkers(clientNames.value) : null,
  }));
  const [unknown] = shards.flatMap(({ clientNames }) => (clientNames.known ? [] : [clientNames.why]));
  const counts = asked.flatMap(({ connected }) => connected ?? []);
  if (counts.length === 0)
    return on.warning(
      check,
      `could not check whether any is connected: ${unknown}`,
      'allow the user in REDIS_URL to call CLIENT LIST, or check the workers yourself',
    );
  const connected = Math.max(...counts);
  const start = `start one: sluice worker ${queue}`;
  const active = sumOf(shards, 'active');
  if (connected === 0) {
    if (active > 0)
      return on.warning(check, `none is connected, and a worker that died left ${active} active jobs`, start);
    if (sumOf(shards, 'waiting') + sumOf(shards, 'delayed') > 0)
      return on.warning(check, 'none is connected, and jobs wait', start);
    return on.ok(check, 'none is connected, and there is nothing to do');
  }
  const left = asked.filter((shard) => shard.connected === 0 && shard.waiting + shard.delayed + shard.active > 0);
  return left.length === 0
    ? on.ok(check, `${connected} connected`)
    : on.warning(
        check,
        `${connected} connected, but none waits for jobs of ${namesOf(left)}`,
        'workers find a new shard within seconds: look again, then check their logs, and that they know shards',
      );
}

function checkFailed(shards: readonly ReadShard[], { queue, namespace }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const hit = shards.filter(({ failed }) => failed > 0);
  const [first] = hit;
  if (first === undefined) return on.ok('failed', 'none');
  const where = shards.length === 1 ? '' : ` in ${namesOf(hit)}`;
  const key = queueKeys(first.shard, namespace).of('failed');
  return on.warning(
    'failed',
    `${sumOf(hit, 'failed')} jobs${where}; beyond SLUICE_FAILED_JOBS_KEPT, the oldest are deleted together with their records`,
    `list them: redis-cli ZREVRANGE '${key}' 0 9; fix the cause, then retry them: sluice queues retry ${queue}`,
  );
}

/** How the shards of a queue that has several are spread, and whether producers still use all of them. */
function checkShards(shards: readonly ReadShard[], { queue, servers, producersShards }: QueueContext): Finding[] {
  if (shards.length === 1) return [];
  const on = findingsOn(`queue ${queue}`);
  const check = 'shards';
  const places = new Set(shards.flatMap(({ server }) => server ?? []));
  const beyond = shards.filter(
    ({ shard, waiting, active, delayed, failed }) =>
      shardIndex(shard) >= producersShards && waiting + active + delayed + failed > 0,
  );
  const rest =
    beyond.length === 0
      ? ''
      : `; SLUICE_QUEUE_SHARDS is ${producersShards} here, and jobs are also in ${namesOf(beyond)}: workers go on with them`;
  const [only] = places;
  if (servers > 1 && places.size === 1)
    return [
      on.warning(
        check,
        `all ${shards.length} are on ${only}, one of ${servers} servers${rest}`,
        'raise SLUICE_QUEUE_SHARDS, or move some of their slots: redis-cli --cluster reshard',
      ),
    ];
  const spread = servers === 1 ? `${shards.length}` : `${shards.length} on ${places.size} of ${servers} servers`;
  return [on.ok(check, spread + rest)];
}

function checkEvents({ shard, events, eventsKept }: ReadShard, { queue, namespace }: QueueContext): Finding {
  const on = findingsOn(`queue ${queue}`);
  const kept = eventsKept ?? defaultEventsKept;
  const message = `${events} entries; about ${kept} are to be kept`;
  if (events <= 2 * kept + eventsSlack) return on.ok('events', message);
  const key = queueKeys(shard, namespace).of('events');
  return on.warning('events', message, `nobody reads them, so trim them: redis-cli XTRIM '${key}' MAXLEN '~' ${kept}`);
}
