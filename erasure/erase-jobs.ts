import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { type QueueName, queueNames, queuePrefix } from '../shared/contracts/queues.ts';
import { nodeOf } from '../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../shared/platform/redis/redis-scripts.ts';
import { eraseFromChunk } from './erase-chunk.ts';
import type { ErasureScope } from './erase-record.ts';

/** What was found in the queues. */
export interface JobsErasure {
  erasedRecords: number;
  blankedRecords: number;
  /** from a newer producer: nothing is known of what is in them */
  unreadableJobs: number;
  /** that a worker still has in hand, with something to erase in them */
  heldJobs: number;
}

export interface JobsErasureOptions {
  scope: ErasureScope;
  /** nothing is changed, and nothing waited for */
  dryRun: boolean;
  /** for jobs that a worker has in hand */
  waitMs: number;
  signal: AbortSignal;
  /** told now and then: jobs looked at so far */
  onProgress(jobs: number): void;
}

const keysPerScan = 200;
const lookAgainMs = 250;

/**
 * Changes a job as long as its data is what was seen, whatever state it is in: a worker has read it already, or will read what
 * stands here then. Nothing but the job's own hash is touched, so the lists of BullMQ stay as they are.
 *
 * KEYS[1] the job, KEYS[2] the list of active jobs. ARGV[1] the job's id, ARGV[2] SHA-1 of the data that was seen, ARGV[3…]
 * fields, each with its value. Returns `gone`, `changed` when the data is other data, `active` or `done`.
 */
const changeJob = evenWhenFull(`
  local data = redis.call('HGET', KEYS[1], 'data')
  if not data then return 'gone' end
  if redis.sha1hex(data) ~= ARGV[2] then return 'changed' end
  for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
  return redis.call('LPOS', KEYS[2], ARGV[1]) and 'active' or 'done'`);

/**
 * Goes through the jobs of all queues, one in memory at a time, in whatever state they are: waiting, delayed, active, failed.
 * A record of the subject is taken out of its job, and a job with no other record removed. A job that a worker has in hand
 * is changed for whoever reads it next, and waited for, since its records are about to be stored.
 */
export async function eraseJobs(
  { redis, namespace }: { redis: Redis; namespace: string },
  options: JobsErasureOptions,
): Promise<JobsErasure> {
  const found: JobsErasure = { erasedRecords: 0, blankedRecords: 0, unreadableJobs: 0, heldJobs: 0 };
  let looked = 0;
  for (const name of queueNames) {
    const place = openPlace(redis, name, namespace);
    try {
      const held = new Set<string>();
      /** jobs whose reason to fail may quote what was erased */
      const quoted = new Set<string>();
      for await (const id of jobIds(place)) {
        if (options.signal.aborted) break;
        looked += 1;
        options.onProgress(looked);
        await eraseJob(place, id, { options, found, held, quoted });
      }
      if (options.dryRun) continue;
      await waitForHeld(place, { options, found, held, quoted });
      found.heldJobs += held.size;
      await eraseEvents(place, quoted, options);
    } finally {
      await place.queue.close();
    }
  }
  return found;
}

interface Place {
  redis: Redis;
  name: QueueName;
  queue: Queue;
  keyOf(id: string): string;
}

function openPlace(redis: Redis, name: QueueName, namespace: string): Place {
  const queue = new Queue(name, { connection: redis, prefix: queuePrefix(name, namespace), skipMetasUpdate: true });
  queue.on('error', () => undefined);
  return { redis, name, queue, keyOf: (id) => queue.toKey(id) };
}

/** By their keys, not by the lists that name them: a job that moves from one to another meanwhile is not missed. */
async function* jobIds({ redis, keyOf }: Place): AsyncGenerator<string> {
  const before = keyOf('');
  const node = await nodeOf(redis, keyOf('meta'));
  const pages = node.scanStream({ match: `${escapeGlob(before)}*`, count: keysPerScan, type: 'hash' });
  for await (const keys of pages as AsyncIterable<string[]>) {
    for (const key of keys) {
      const id = key.slice(before.length);
      if (id !== 'meta' && !id.includes(':')) yield id;
    }
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, String.raw`\$&`);
}

interface JobsPass {
  options: JobsErasureOptions;
  found: JobsErasure;
  held: Set<string>;
  quoted: Set<string>;
}

async function eraseJob(place: Place, id: string, pass: JobsPass): Promise<void> {
  const { redis, name, queue, keyOf } = place;
  const { options, found, held, quoted } = pass;
  const { scope } = options;
  for (;;) {
    // As bytes: those of a foreign producer may be no UTF-8, and what Redis hashes is what stands there.
    const [bytes, ...others] = await redis.hmgetBuffer(keyOf(id), 'data', 'failedReason', 'stacktrace', 'returnvalue');
    const [reason, ...more] = others.map((text) => text?.toString());
    held.delete(id);
    if (bytes === null || bytes === undefined) return;
    const data = bytes.toString();
    const fate = eraseFromChunk(name, data, scope);
    const isQuoted = !scope.ownOnly && [reason, ...more].some((text) => text && scope.naming.isInJson(text));
    if (fate.kind === 'newer') found.unreadableJobs += 1;
    const counts = 'erased' in fate ? fate : { erased: 0, blanked: 0 };
    if (options.dryRun || (counts.erased + counts.blanked === 0 && !isQuoted)) return count(found, counts);
    if (reason) quoted.add(id);
    if (fate.kind === 'erased') {
      // 0: a worker has it in hand. When it is gone, it has ended.
      const isLeft = (await queue.remove(id)) === 0 && (await redis.exists(keyOf(id))) === 1;
      if (isLeft) held.add(id);
      return isLeft ? undefined : count(found, counts);
    }
    const fields = fate.kind === 'changed' ? ['data', fate.data] : [];
    if (reason) fields.push('failedReason', 'erased', 'stacktrace', '[]', 'returnvalue', 'null');
    const sha1 = createHash('sha1').update(bytes).digest('hex');
    const end = await redis.eval(changeJob, 2, keyOf(id), keyOf('active'), id, sha1, ...fields);
    if (end === 'changed' && !options.signal.aborted) continue;
    if (end === 'active' || end === 'changed') held.add(id);
    return end === 'gone' || end === 'changed' ? undefined : count(found, counts);
  }
}

function count(found: JobsErasure, { erased, blanked }: { erased: number; blanked: number }): void {
  found.erasedRecords += erased;
  found.blankedRecords += blanked;
}

/** Until each of them has ended, or came back to the queue and was changed there. */
async function waitForHeld(place: Place, pass: JobsPass): Promise<void> {
  const { redis, keyOf } = place;
  const { held, options } = pass;
  const untilMs = performance.now() + options.waitMs;
  while (held.size > 0 && !options.signal.aborted) {
    for (const id of [...held]) {
      if ((await redis.exists(keyOf(id))) === 0) held.delete(id);
      else if ((await redis.lpos(keyOf('active'), id)) === null || !(await redis.exists(`${keyOf(id)}:lock`)))
        await eraseJob(place, id, pass);
    }
    if (held.size === 0 || performance.now() >= untilMs) return;
    await sleep(lookAgainMs, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

const eventsPerPage = 500;

/** The stream of a queue's events tells why jobs have failed, which may quote a record. */
async function eraseEvents({ redis, keyOf }: Place, quoted: ReadonlySet<string>, options: JobsErasureOptions) {
  const { naming, ownOnly } = options.scope;
  for (let from = '-'; !options.signal.aborted; ) {
    const page = await redis.xrange(keyOf('events'), from, '+', 'COUNT', eventsPerPage);
    const doomed = page.filter(([, fields]) => {
      const reason = fields[fields.indexOf('failedReason') + 1] ?? '';
      const job = fields[fields.indexOf('jobId') + 1] ?? '';
      return fields.includes('failedReason') && (quoted.has(job) || (!ownOnly && naming.isInJson(reason)));
    });
    if (doomed.length > 0) await redis.xdel(keyOf('events'), ...doomed.map(([id]) => id));
    const last = page.at(-1);
    if (last === undefined || page.length < eventsPerPage) return;
    from = `(${last[0]}`;
  }
}
