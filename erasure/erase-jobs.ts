import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';
import { type QueueName, queueNames, queuePrefix, type ShardName } from '../shared/contracts/queues.ts';
import { pause } from '../shared/platform/deadline.ts';
import type { ChunkAccount } from '../shared/platform/ledger/chunk-account.ts';
import { nodeOf } from '../shared/platform/redis/cluster-nodes.ts';
import { searchShards } from '../shared/platform/redis/find-shards.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import { evenWhenFull } from '../shared/platform/redis/redis-scripts.ts';
import { eraseFromChunk } from './erase-chunk.ts';
import type { ErasureScope } from './erase-record.ts';

/** What was found in the queues. */
export interface JobsErasure {
  erasedRecords: number;
  blankedRecords: number;
  /** from a newer producer: their contents are unknown */
  unreadableJobs: number;
  /** jobs that a worker is still processing, with something to erase in them */
  heldJobs: number;
}

export interface JobsErasureOptions {
  scope: ErasureScope;
  /** nothing is changed, and nothing is waited for */
  dryRun: boolean;
  /** how long to wait for jobs that a worker is processing */
  waitMs: number;
  signal: AbortSignal;
  /** called with the account of a chunk of which no record will be left */
  onChunkErased(account: ChunkAccount): Promise<void>;
  /** called now and then with the number of jobs read so far */
  onProgress(jobs: number): void;
}

const keysPerScan = 200;
const lookAgainMs = 250;

/**
 * Changes a job if its data is still what was read, whatever state it is in: a worker has read it already, or will read the new
 * data. It touches only the job's own hash, so BullMQ's lists stay as they are.
 *
 * KEYS[1] the job, KEYS[2] the list of active jobs. ARGV[1] the job's id, ARGV[2] SHA-1 of the data that was read, ARGV[3…]
 * fields, each with its value. Returns `gone`, `changed` if the data differs, `active` or `done`.
 */
const changeJob = evenWhenFull(`
  local data = redis.call('HGET', KEYS[1], 'data')
  if not data then return 'gone' end
  if redis.sha1hex(data) ~= ARGV[2] then return 'changed' end
  for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
  return redis.call('LPOS', KEYS[2], ARGV[1]) and 'active' or 'done'`);

/**
 * Goes through the jobs of all shards of all queues, one in memory at a time, in any state: waiting, delayed, active, failed. A record of the
 * subject is removed from its job, and a job without other records is removed. A job that a worker is processing is changed for
 * its next reader, and waited for, since its records are about to be stored.
 *
 * @throws Error also when a server does not say which shards it has: what was not read is not erased
 */
export async function eraseJobs(
  { redis, namespace }: { redis: Redis; namespace: string },
  options: JobsErasureOptions,
): Promise<JobsErasure> {
  const found: JobsErasure = { erasedRecords: 0, blankedRecords: 0, unreadableJobs: 0, heldJobs: 0 };
  let looked = 0;
  const read = (): void => {
    looked += 1;
    options.onProgress(looked);
  };
  for (const name of queueNames) {
    const { found: shards, unanswered } = await searchShards(redis, { queue: name, namespace });
    if (unanswered.length > 0)
      throw new Error(`Redis: servers that may have ${unanswered.length} shards of ${name} do not answer`);
    await eraseQueue(
      shards.map((shard) => openPlace(redis, name, { shard, namespace })),
      { options, found, read },
    );
  }
  return found;
}

/** Reads the jobs of all shards before it waits for those that workers hold, so that it waits for them together. */
async function eraseQueue(
  places: readonly Place[],
  { options, found, read }: Pick<JobsPass, 'options' | 'found'> & { read(): void },
): Promise<void> {
  try {
    const passes: { place: Place; pass: JobsPass }[] = [];
    for (const place of places) {
      const pass: JobsPass = { options, found, held: new Set(), quoted: new Set() };
      passes.push({ place, pass });
      for await (const id of jobIds(place)) {
        if (options.signal.aborted) break;
        read();
        await eraseJob(place, id, pass);
      }
    }
    if (options.dryRun) return;
    const untilMs = performance.now() + options.waitMs;
    for (const { place, pass } of passes) {
      await waitForHeld(place, pass, untilMs);
      found.heldJobs += pass.held.size;
      await eraseEvents(place, pass.quoted, options);
    }
  } finally {
    await Promise.all(places.map(({ queue }) => queue.close()));
  }
}

/** A shard, and the queue that it is of. */
interface Place {
  redis: Redis;
  name: QueueName;
  queue: Queue;
  keyOf(id: string): string;
}

function openPlace(
  redis: Redis,
  name: QueueName,
  { shard, namespace }: { shard: ShardName; namespace: string },
): Place {
  const queue = new Queue(shard, { connection: redis, prefix: queuePrefix(shard, namespace), skipMetasUpdate: true });
  queue.on('error', () => undefined);
  return { redis, name, queue, keyOf: (id) => queue.toKey(id) };
}

/** By their keys, not by the lists that name them, so that a job that moves between lists meanwhile is not missed. */
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
  /** jobs whose failure reason may quote what was erased */
  quoted: Set<string>;
}

async function eraseJob(place: Place, id: string, pass: JobsPass): Promise<void> {
  const { redis, name, queue, keyOf } = place;
  const { options, found, held, quoted } = pass;
  const { scope } = options;
  for (;;) {
    // As bytes: data of a foreign producer may not be UTF-8, and Redis hashes the bytes that are stored.
    const [bytes, ...others] = await redis.hmgetBuffer(keyOf(id), 'data', 'failedReason', 'stacktrace', 'returnvalue');
    const [reason, ...more] = others.map((text) => text?.toString());
    held.delete(id);
    if (bytes === null || bytes === undefined) return;
    const data = bytes.toString();
    const disposition = eraseFromChunk(name, data, scope);
    const isQuoted = !scope.ownOnly && [reason, ...more].some((text) => text && scope.naming.isInJson(text));
    if (disposition.kind === 'newer') found.unreadableJobs += 1;
    const counts = 'erased' in disposition ? disposition : { erased: 0, blanked: 0 };
    const hasNothing = counts.erased + counts.blanked === 0 && disposition.kind !== 'changed';
    if (options.dryRun || (hasNothing && !isQuoted)) return count(found, counts);
    if (reason) quoted.add(id);
    if (disposition.kind === 'erased') {
      if (disposition.account !== undefined) await options.onChunkErased(disposition.account);
      // 0: a worker is processing it. Once it is gone, it has ended.
      const isLeft = (await queue.remove(id)) === 0 && (await redis.exists(keyOf(id))) === 1;
      if (isLeft) held.add(id);
      return isLeft ? undefined : count(found, counts);
    }
    const fields = disposition.kind === 'changed' ? ['data', disposition.data] : [];
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

/** Until each of them has ended, or returned to the queue and was changed there. */
async function waitForHeld(place: Place, pass: JobsPass, untilMs: number): Promise<void> {
  const { redis, keyOf } = place;
  const { held, options } = pass;
  while (held.size > 0 && !options.signal.aborted) {
    for (const id of [...held]) {
      if ((await redis.exists(keyOf(id))) === 0) held.delete(id);
      else if ((await redis.lpos(keyOf('active'), id)) === null || !(await redis.exists(`${keyOf(id)}:lock`)))
        await eraseJob(place, id, pass);
    }
    if (held.size === 0 || performance.now() >= untilMs) return;
    await pause(lookAgainMs, options.signal);
  }
}

const eventsPerPage = 500;

/** A queue's event stream contains the failure reasons of jobs, which may quote a record. */
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
