// A host with OpenTelemetry and both builds of the SDK in it: what is recorded names the span that is active.
import { createRequire } from 'node:module';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import * as imported from 'sluice';

const { STRATEGY, REQUEST, TRACE_ID, SPAN_ID } = process.env;
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const span = trace.wrapSpanContext({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 });

for (const [n, sdk] of [imported, createRequire(import.meta.url)('sluice')].entries()) {
  const observer = sdk.createExecutionObserver(sdk.executionObserverOptionsFrom(process.env));
  const sender = sdk.createCompletedRequestSender(sdk.completedRequestSenderOptionsFrom(process.env));
  await context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
    await null;
    const subject = { strategyId: `${STRATEGY}-${n}`, strategyVersion: 1, strategyType: 'DSL_FULL' };
    await sdk.withExecution(observer, subject, async () => 1);
    await sender.send({ requestId: REQUEST.replace(/.$/, String(n)), createdBy: 'package', statusCode: 200 });
  });
  await sender.close({ timeoutMs: 30_000 });
  await observer.close({ timeoutMs: 30_000 });
}
