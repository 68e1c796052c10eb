import { Job, type JobJson, type JobType, Queue, type QueueOptions } from 'bullmq';
import { readCompressedChunk } from '../../../shared/contracts/compressed-chunk.ts';
import { unwrapChunk } from '../../../shared/platform/chunk-compression.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { Problem } from '../http/problem.ts';
import { UnreadData } from './unread-data.ts';

const kib = 1_024;

/** Bytes of data, when decompressed, that are read of one job that somebody views, or of all jobs on a page together. */
const maxDataBytes = 4 * kib * kib;
/** Bytes of any other field: reasons, stack traces, options. */
const maxFieldBytes = 16 * kib;
/** Bytes at the beginning of data that is too large to be read: they name its producer. */
const headBytes = 512;

/**
 * Reads a job without the fields that are too large: a client holds the whole answer in memory, and several copies of it
 * when it parses it.
 *
 * KEYS[1] the job. ARGV[1] maximum bytes of data, ARGV[2] maximum bytes of each other field, ARGV[3] bytes to return from
 * the beginning of data that is larger. Returns the size of the data, its beginning or '', and the fields with their
 * values. Changes nothing.
 */
const readJob = `
  local fields = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local limit = tonumber(field == 'data' and ARGV[1] or ARGV[2])
    if redis.call('HSTRLEN', KEYS[1], field) <= limit then
      fields[#fields + 1] = field
      fields[#fields + 1] = redis.call('HGET', KEYS[1], field)
    end
  end
  local size = redis.call('HSTRLEN', KEYS[1], 'data')
  local head = ''
  if size > tonumber(ARGV[1]) then
    head = string.sub(redis.call('HGET', KEYS[1], 'data'), 1, tonumber(ARGV[3]))
  end
  return {size, head, fields}`;

/**
 * A queue for viewing, which limits the bytes that it reads: 4 MiB of data for a job or a page. BullMQ reads all that a job
 * carries, all jobs of a page at once, and each of them twice.
 */
export class BoundedQueue extends Queue {
  readonly #redis: Redis;

  /** @param options.listClients CLIENT LIST of each server; BullMQ would ask all of them for each queue, and wait for the last */
  constructor(
    name: string,
    redis: Redis,
    { listClients, ...options }: Omit<QueueOptions, 'connection'> & { listClients: () => Promise<string[]> },
  ) {
    super(name, { ...options, connection: redis });
    this.#redis = redis;
    this.getBackend().getClientList = listClients;
  }

  override getJob(jobId: string): Promise<Job | undefined> {
    return this.#readJob(jobId, maxDataBytes);
  }

  override async getJobs(types: JobType | JobType[] = [], start = 0, end = -1, asc = false): Promise<Job[]> {
    const ids = new Set(await this.getRanges([types].flat(), start, end, asc));
    const share = Math.floor(maxDataBytes / Math.max(1, ids.size));
    const jobs = await Promise.all(Array.from(ids, (id) => this.#readJob(id, share)));
    return jobs.flatMap((job) => job ?? []);
  }

  async #readJob(jobId: string, dataBytes: number): Promise<Job | undefined> {
    const key = this.toKey(jobId);
    const reply = await this.#redis.eval(readJob, 1, key, dataBytes, maxFieldBytes, headBytes);
    const [bytes, head, pairs] = reply as [number, string, string[]];
    if (pairs.length === 0) return undefined;
    const fields = new Map<string, string>();
    for (let at = 0; at + 1 < pairs.length; at += 2) fields.set(pairs[at] ?? '', pairs[at + 1] ?? '');
    const job = BoardJob.fromJSON(this, toJobJson(jobId, fields), jobId);
    job.data = head === '' ? await readData(fields.get('data'), dataBytes) : new UnreadData(bytes, head);
    return job;
  }
}

/** A job that may be retried only when it has failed: a completed one is stored, and expires, wherever it is. */
class BoardJob extends Job {
  override async retry(...[state, options]: Parameters<Job['retry']>): Promise<void> {
    if (state === 'completed') throw new Problem('conflict', 'The job is completed: its records are stored');
    return super.retry(state, options);
  }
}

/** What is in a job's data. @param maxBytes of the plain text */
async function readData(text = '', maxBytes: number): Promise<unknown> {
  const compressed = readCompressedChunk(text);
  if (compressed === null) return parseOr(text, new UnreadData(Buffer.byteLength(text), ''));
  const head = text.slice(0, headBytes);
  if (compressed.bytes > maxBytes) return new UnreadData(compressed.bytes, head);
  const unwrapped = await unwrapChunk(text);
  if (unwrapped.kind === 'damaged') return new UnreadData(text.length, head, 'cannot be decompressed');
  return parseOr(unwrapped.bytes.toString(), new UnreadData(compressed.bytes, ''));
}

/** A job in BullMQ's own form. A field that is too large or cannot be parsed is left out. */
function toJobJson(id: string, fields: ReadonlyMap<string, string>): JobJson {
  const text = (name: string): string | undefined => fields.get(name);
  const number = (name: string): number | undefined => (fields.has(name) ? Number(fields.get(name)) : undefined);
  const json: { [Name in keyof JobJson]: JobJson[Name] | undefined } = {
    id,
    name: text('name') ?? '',
    data: '{}',
    opts: parseOr(text('opts'), {}),
    progress: parseOr(text('progress'), 0),
    delay: number('delay'),
    priority: number('priority'),
    timestamp: number('timestamp') ?? 0,
    attemptsStarted: number('ats') ?? 0,
    attemptsMade: number('atm') ?? 0,
    stalledCounter: number('stc') ?? 0,
    finishedOn: number('finishedOn'),
    processedOn: number('processedOn'),
    repeatJobKey: text('rjk'),
    failedReason: text('failedReason') ?? '',
    stacktrace: text('stacktrace'),
    returnvalue: 'null',
    processedBy: text('pb'),
  };
  return json as JobJson;
}

function parseOr<T>(text: string | undefined, fallback: T): T {
  if (text === undefined) return fallback;
  try {
    return JSON.parse(text) as T;
  } catch {
    return fallback;
  }
}
