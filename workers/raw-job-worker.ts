import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import { toError } from '../shared/errors.ts';
import { isRefusal } from '../shared/redis-errors.ts';
import { refusedRetryMs } from './redis-refusals.ts';

const texts = new WeakMap<Job, string>();

/**
 * A BullMQ worker that leaves the data of its jobs as text. BullMQ parses a job when it is fetched: data that is not JSON
 * would throw there, again and again, and data that is too much for a worker would kill it before anybody could count.
 */
export class RawJobWorker extends Worker {
  /** Told of each job that was fetched: the length of its data in characters. */
  onFetched: (chars: number) => void = () => undefined;

  protected override createJob(...[json, jobId]: Parameters<Worker['createJob']>) {
    const job = super.createJob({ ...json, data: '{}' }, jobId);
    texts.set(job, json.data);
    this.onFetched(json.data.length);
    return job;
  }

  /** BullMQ itself asks a Redis that answers with errors again at once, thousands of times a second. */
  protected override async moveToActive(...args: Parameters<Worker['moveToActive']>) {
    try {
      return await super.moveToActive(...args);
    } catch (error) {
      await sleep(refusedRetryMs);
      throw error;
    }
  }

  /**
   * BullMQ itself fails a job whose acknowledgement Redis refuses, as soon as Redis takes anything again. Its records are
   * stored, so it is repeated for as long as the lock holds, and then left to whoever finds it stalled.
   */
  protected override async handleCompleted(...args: Parameters<Worker['handleCompleted']>) {
    const until = performance.now() + (this.opts.lockDuration ?? 0);
    for (;;) {
      try {
        return await super.handleCompleted(...args);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.emit('error', toError(error));
        if (this.closing || performance.now() > until) return undefined as unknown as Job;
        await sleep(refusedRetryMs);
      }
    }
  }
}

/** The data of a job as it was received: JSON, if its producer kept to the contract. */
export function rawDataOf(job: Job): string {
  return texts.get(job) ?? '';
}
