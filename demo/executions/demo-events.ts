import { readTraceFile, toEvents } from '../trace-file.ts';
import { compressed, measureTrace } from '../trace-head.ts';
import { generateEvents, type ScoringEvent } from './events.ts';
import { demoStrategies } from './strategies.ts';

/** Which events the demo sends. */
export interface DemoEventOptions {
  /** maximum number of events; null: all of the trace */
  executions: number | null;
  /** a request-arrival trace to take the events from; null: generate them */
  traceFile: string | null;
  /** mean events per second; a trace is compressed to this rate */
  perSecond: number;
  seed: number;
}

const defaultExecutions = 20_000;

/** Events in time order, and their number. */
export interface Timeline<E> {
  events: AsyncIterable<E> | Iterable<E>;
  total: number;
}

/**
 * Generates or reads the events, timed so that their mean rate is `perSecond`.
 *
 * @throws UsageError if the trace cannot be read: the file, the line, and what is wrong with it
 */
export async function chooseEvents(options: DemoEventOptions): Promise<Timeline<ScoringEvent>> {
  const { executions, traceFile, perSecond, seed } = options;
  if (traceFile === null) {
    const total = executions ?? defaultExecutions;
    return { events: generateEvents({ count: total, seed, strategies: demoStrategies, perSecond }), total };
  }
  const head = await measureTrace(traceFile, executions);
  const events = compressed(toEvents(readTraceFile(traceFile), demoStrategies, seed), head, perSecond);
  return { events, total: head.rows };
}
