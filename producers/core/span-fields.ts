import type { SpanContext } from '../../shared/contracts/span-context.ts';
import { isSpanId, isTraceId } from './active-span.ts';
import { quote } from './field-reader.ts';
import type { Notes } from './notes.ts';

/** The fields of a record that name its span. */
export type SpanFields = { [Name in keyof SpanContext]: string | undefined };

const noSpan: SpanFields = { traceId: undefined, spanId: undefined };

/**
 * The span that the caller names, else the active one. A span of the caller's own trace is not guessed.
 *
 * @param given.traceId null: no span at all
 */
export function readSpanFields(
  given: { traceId?: unknown; spanId?: unknown },
  active: SpanContext | null | undefined,
  notes: Notes,
): SpanFields {
  const { traceId: givenTrace, spanId: givenSpan } = given;
  if (givenTrace === null) return noSpan;
  if (givenTrace === undefined && givenSpan == null) return active ?? noSpan;
  const ownTrace = readId('traceId', givenTrace, isTraceId, notes);
  const ownSpan = readId('spanId', givenSpan, isSpanId, notes);
  const traceId = ownTrace ?? active?.traceId;
  return { traceId, spanId: ownSpan ?? (traceId === active?.traceId ? active?.spanId : undefined) };
}

/** Whether a record names a span. */
export function hasSpan({ traceId, spanId }: { traceId?: unknown; spanId?: unknown }): boolean {
  return traceId != null || spanId != null;
}

function readId(
  name: string,
  value: unknown,
  isId: (value: unknown) => value is string,
  notes: Notes,
): string | undefined {
  if (value === undefined || value === null) return undefined;
  const id = typeof value === 'string' ? value.toLowerCase() : value;
  if (isId(id)) return id;
  notes.changed(name, `${quote(value)} is no ${name} of OpenTelemetry, left out`);
  return undefined;
}
