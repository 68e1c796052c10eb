import { type Job, Worker } from 'bullmq';

const texts = new WeakMap<Job, string>();

/** A BullMQ worker that remembers the data of its jobs as it was received, for those that turn out to be dead. */
export class RawJobWorker extends Worker {
  protected override createJob(...[json, jobId]: Parameters<Worker['createJob']>) {
    const job = super.createJob(json, jobId);
    texts.set(job, json.data);
    return job;
  }
}

/** The data of a job as it was received: JSON. */
export function rawDataOf(job: Job): string {
  return texts.get(job) ?? JSON.stringify(job.data);
}
