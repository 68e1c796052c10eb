import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';

const texts = new WeakMap<Job, string>();

/** Time between two tries to take a job from a Redis that refuses it: out of memory, a replica now, no rights. */
const refusedRetryMs = 500;

/**
 * A BullMQ worker that leaves the data of its jobs as text. BullMQ parses a job when it is fetched: data that is not JSON
 * would throw there, again and again, and data that is too much for a worker would kill it before anybody could count.
 */
export class RawJobWorker extends Worker {
  protected override createJob(...[json, jobId]: Parameters<Worker['createJob']>) {
    const job = super.createJob({ ...json, data: '{}' }, jobId);
    texts.set(job, json.data);
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
}

/** The data of a job as it was received: JSON, if its producer kept to the contract. */
export function rawDataOf(job: Job): string {
  return texts.get(job) ?? '';
}
