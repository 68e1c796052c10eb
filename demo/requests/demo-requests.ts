import type { Timeline } from '../executions/demo-events.ts';
import { readTraceFile } from '../trace-file.ts';
import { compressed, measureTrace } from '../trace-head.ts';
import { generateRequests, type RequestEvent, toRequests } from './request-events.ts';

/** Which requests the demo sends. */
export interface DemoRequestOptions {
  /** their maximum number: a trace may have fewer */
  requests: number;
  /** a request-arrival trace to take times and sizes from; null: generate them */
  traceFile: string | null;
  /** the time in which the requests arrive, in seconds; a trace is compressed to it */
  seconds: number;
  seed: number;
}

/**
 * Generates or reads the requests, timed so that they arrive in `seconds`.
 *
 * @throws UsageError if the trace cannot be read: the file, the line, and what is wrong with it
 */
export async function chooseRequests(options: DemoRequestOptions): Promise<Timeline<RequestEvent>> {
  const { requests, traceFile, seconds, seed } = options;
  if (requests === 0) return { events: [], total: 0 };
  if (traceFile === null)
    return { events: generateRequests({ count: requests, seed, perSecond: requests / seconds }), total: requests };
  const head = await measureTrace(traceFile, requests);
  return {
    events: compressed(toRequests(readTraceFile(traceFile), seed), head, head.rows / seconds),
    total: head.rows,
  };
}
