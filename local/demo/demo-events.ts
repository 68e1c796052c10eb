import { toError, UsageError } from '../../shared/errors.ts';
import { generateEvents, type ScoringEvent } from './events.ts';
import { demoStrategies } from './scoring/strategies.ts';
import { readTraceFile, toEvents } from './trace-file.ts';

/** Which events the demo is to send. */
export interface DemoEventOptions {
  /** how many events at most; null: all of the trace */
  executions: number | null;
  /** a request-arrival trace to take the events from; null: they are generated */
  traceFile: string | null;
  /** mean events per second; a trace is compressed to it */
  perSecond: number;
  seed: number;
}

const defaultExecutions = 20_000;

/** Events in time, and how many there are. */
export interface DemoEvents {
  events: AsyncIterable<ScoringEvent> | Iterable<ScoringEvent>;
  total: number;
}

/**
 * Makes or reads the events, timed so that their mean rate is `perSecond`.
 *
 * @throws UsageError when the trace cannot be read: the file, the line, and what is wrong with it
 */
export async function chooseEvents({ executions, traceFile, perSecond, seed }: DemoEventOptions): Promise<DemoEvents> {
  if (traceFile === null) {
    const total = executions ?? defaultExecutions;
    return { events: generateEvents({ count: total, seed, strategies: demoStrategies, perSecond }), total };
  }
  const { rows, spanMs } = await measure(traceFile, executions);
  const speed = Math.max(1, spanMs / ((rows / perSecond) * 1_000));
  return { events: compressed(toEvents(readTraceFile(traceFile), demoStrategies, seed), rows, speed), total: rows };
}

/** Reads the trace once to know its length and its span, so that a bad line is told before anything is started. */
async function measure(traceFile: string, limit: number | null): Promise<{ rows: number; spanMs: number }> {
  let rows = 0;
  let spanMs = 0;
  try {
    for await (const { atMs } of readTraceFile(traceFile)) {
      if (limit !== null && rows >= limit) break;
      rows += 1;
      spanMs = Math.max(spanMs, atMs);
    }
  } catch (error) {
    throw new UsageError(toError(error).message);
  }
  return { rows, spanMs };
}

async function* compressed(
  events: AsyncIterable<ScoringEvent>,
  limit: number,
  speed: number,
): AsyncGenerator<ScoringEvent> {
  let taken = 0;
  for await (const event of events) {
    if (taken >= limit) return;
    taken += 1;
    yield { ...event, atMs: event.atMs / speed };
  }
}
