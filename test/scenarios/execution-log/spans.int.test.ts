import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createCompletedRequestSender, createExecutionObserver, withExecution } from '../../../producers/index.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { aSpan, inSpan, startOpenTelemetry } from '../../support/open-telemetry.ts';
import { startRole, startWorker } from '../../support/worker.ts';

test('spans: executions and requests are stored with the span that they were made in, and without one where there was none', async () => {
  startOpenTelemetry();
  const [databaseUrl, namespace] = [await createTestDatabase(), createNamespace()];
  await startWorker(databaseUrl, namespace);
  await startRole(createCompletedRequest, databaseUrl, namespace);
  const options = {
    redisUrl: inject('redisUrl'),
    namespace,
    registry: new Registry(),
    logger: { warn: () => undefined },
  };
  const observer = createExecutionObserver({ ...options, producer: { sampleRate: 1 } });
  const requests = createCompletedRequestSender(options);
  onTestFinished(async () => void (await Promise.all([observer.close(), requests.close()])));

  const [recorded, observed, sent, begun] = [aSpan('1'), aSpan('2'), aSpan('3'), aSpan('4')];
  const named = 'e'.repeat(32);
  inSpan(recorded, () => observer.record(anExecution({ strategyId: 'recorded' })));
  inSpan(observed, () => withExecution(observer, anExecution({ strategyId: 'observed' }), () => 1));
  inSpan(recorded, () => observer.record(anExecution({ strategyId: 'named', traceId: named })));
  observer.record(anExecution({ strategyId: 'outside' }));
  const request = (createdBy: string) => ({ requestId: randomUUID(), createdBy, statusCode: 200 });
  await inSpan(sent, () => requests.send(request('sent')));
  const { statusCode, ...running } = request('begun');
  await inSpan(begun, () => requests.begin(running));
  await inSpan(begun, () => requests.send({ ...running, statusCode }));
  await requests.send(request('outside'));
  await Promise.all([observer.drain(), requests.flush()]);

  const client = await connect(databaseUrl);
  const rows = async () => {
    const stored = await client.query<{ name: string; trace_id: string | null; span_id: string | null }>(
      `select strategy_id as name, trace_id, span_id from strategy_execution_log
       union all select 'request ' || created_by, trace_id, span_id from request where state = 'completed'`,
    );
    return new Map(stored.rows.map(({ name, trace_id, span_id }) => [name, { traceId: trace_id, spanId: span_id }]));
  };
  await until(async () => (await rows()).size === 7);
  const none = { traceId: null, spanId: null };
  expect(Object.fromEntries(await rows())).toEqual({
    recorded,
    observed,
    named: { traceId: named, spanId: null },
    outside: none,
    'request sent': sent,
    'request begun': begun,
    'request outside': none,
  });
});
