import { none } from './figures.ts';

/** The span of OpenTelemetry that a record was made in; nothing where there was none. */
export function spanLines({ traceId, spanId }: { traceId: string | null; spanId: string | null }): string[] {
  return traceId === null && spanId === null ? [] : [`span        ${spanId ?? none} of trace ${traceId ?? none}`];
}
