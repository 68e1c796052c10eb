import { type SpanContext, spanIdPattern, traceIdPattern } from '../../shared/contracts/span-context.ts';

/** What is read of what `@opentelemetry/api` 1.x registers. Nothing of it is relied on. */
interface OpenTelemetry {
  context?: { active(): { getValue(key: symbol): { spanContext(): SpanContext } | undefined } };
}

const api = Symbol.for('opentelemetry.js.api.1');
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN');

/**
 * The span that is active in the host: null where none is, undefined where the host has no OpenTelemetry. Never throws.
 *
 * It is read where all copies of `@opentelemetry/api` meet, and not by an import of our own copy: see docs/adr/0029.
 */
export function readActiveSpan(): SpanContext | null | undefined {
  try {
    const registered = (globalThis as { [api]?: OpenTelemetry })[api];
    if (registered === undefined) return undefined;
    const span = registered.context?.active().getValue(spanKey)?.spanContext();
    if (span === undefined) return null;
    const { traceId, spanId } = span;
    return isTraceId(traceId) && isSpanId(spanId) ? { traceId, spanId } : null;
  } catch {
    // Something else by that name, or a span of somebody's own.
    return null;
  }
}

export function isTraceId(value: unknown): value is string {
  return typeof value === 'string' && traceIdPattern.test(value);
}

export function isSpanId(value: unknown): value is string {
  return typeof value === 'string' && spanIdPattern.test(value);
}
