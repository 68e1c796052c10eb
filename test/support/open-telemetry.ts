import { context, ROOT_CONTEXT, type SpanContext, TraceFlags, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { onTestFinished } from 'vitest';

/** Where all copies of `@opentelemetry/api` meet. */
export const openTelemetry = Symbol.for('opentelemetry.js.api.1');

/** As a host with OpenTelemetry begins, until the test has finished: then it is as if there had been none. */
export function startOpenTelemetry(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => {
    context.disable();
    Reflect.deleteProperty(globalThis, openTelemetry);
  });
}

/** Ids that are told apart by a digit, 1 to f. */
export function aSpan(digit = '1'): Pick<SpanContext, 'traceId' | 'spanId'> {
  return { traceId: digit.repeat(32), spanId: digit.repeat(16) };
}

/** Does the work within a span. */
export function inSpan<T>(span: Pick<SpanContext, 'traceId' | 'spanId'>, work: () => T): T {
  const active = trace.wrapSpanContext({ ...span, traceFlags: TraceFlags.SAMPLED });
  return context.with(trace.setSpan(ROOT_CONTEXT, active), work);
}
