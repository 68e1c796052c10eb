import { readFile } from 'node:fs/promises';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, onTestFinished, test, vi } from 'vitest';
import { requestIdOf } from '../../../gateway/otlp/span-intake.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { aGateway } from '../../support/a-gateway.ts';
import { connect, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { anExport, modelRequest } from '../../support/otlp.ts';
import { aiSdkSpans, liteLlmRawSpan, liteLlmSpan, vLlmSpan } from '../../support/otlp-fixtures.ts';
import { aTokensFile } from '../../support/tokens-file.ts';
import { startRole } from '../../support/worker.ts';

/** A gateway, and a worker that stores what it takes. */
async function aPlace(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  await startRole(createCompletedRequest, databaseUrl, namespace);
  const gateway = await aGateway({ SLUICE_NAMESPACE: namespace, ...environment });
  return {
    ...gateway,
    /** the rows, when there are so many */
    async rows(count: number) {
      const read = async () =>
        (
          await client.query(
            `select r.*, t.path, t.body from request r join request_template t on t.id = r.template_id order by r.created_at, r.id`,
          )
        ).rows;
      await until(async () => (await read()).length >= count);
      return read();
    },
  };
}

/** A service with OpenTelemetry, as its documentation sets it up. */
function aTracer(exporter: SpanExporter) {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  onTestFinished(() => provider.shutdown());
  return { tracer: provider.getTracer('test'), flush: () => provider.forceFlush() };
}

const exporters = [
  ['JSON', JsonExporter, undefined],
  ['protobuf', ProtobufExporter, undefined],
  ['gzipped protobuf', ProtobufExporter, 'gzip'],
] as const;

test.for(exporters)(
  'otlp: the requests of a service with OpenTelemetry are rows, sent as %s',
  async ([, Exporter, compression]) => {
    const { path, tokens } = await aTokensFile([{ name: 'llm', scopes: ['requests'] }]);
    const { url, rows } = await aPlace({ SLUICE_GATEWAY_TOKENS_FILE: path });
    const { tracer, flush } = aTracer(
      new Exporter({
        url: `${url}/v1/traces`,
        headers: { authorization: `Bearer ${tokens['llm']}` },
        ...(compression === undefined ? {} : { compression: compression as never }),
      }),
    );
    const startTime = Date.UTC(2026, 4, 1, 10);
    const good = tracer.startSpan('chat gpt-5', { kind: SpanKind.CLIENT, startTime, attributes: modelRequest });
    good.setAttributes({
      'gen_ai.usage.input_tokens': 2_147_483_648,
      'gen_ai.request.temperature': 0.25,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"Wie geht’s? 🙂"}]}]',
      'user.id': 'user-1',
    });
    good.end(startTime + 1_500);
    const other = tracer.startSpan('GET /', { kind: SpanKind.SERVER, attributes: { 'http.request.method': 'GET' } });
    other.end();
    const failed = tracer.startSpan('chat', { startTime: startTime + 1, attributes: modelRequest });
    failed.addEvent('gen_ai.content.prompt', { 'gen_ai.prompt': 'Why?' });
    failed.recordException(new RangeError('too many requests'));
    failed.setAttribute('http.response.status_code', 429);
    failed.setStatus({ code: SpanStatusCode.ERROR, message: 'refused' });
    failed.end(startTime + 3);
    await flush();

    const [first, second, ...others] = await rows(2);
    expect(others).toEqual([]);
    const { traceId, spanId } = good.spanContext();
    expect(first).toMatchObject({
      id: requestIdOf({ traceId, spanId }),
      state: 'completed',
      model: 'gpt-5',
      path: 'gen_ai/chat',
      created_by: 'user-1',
      response_status: 200,
      trace_id: traceId,
      span_id: spanId,
      created_at: new Date(startTime),
      completed_at: new Date(startTime + 1_500),
      notes: 'sender: llm',
    });
    expect(JSON.parse(first.body)).toEqual({
      provider: 'openai',
      operation: 'chat',
      model: 'gpt-5',
      parameters: { temperature: 0.25 },
      messages: [{ role: 'user', parts: [{ type: 'text', content: 'Wie geht’s? 🙂' }] }],
    });
    expect(JSON.parse(first.response_body)).toEqual({
      finish_reasons: ['stop'],
      usage: { input_tokens: 2_147_483_648 },
    });
    expect(second).toMatchObject({ state: 'failed', created_by: 'shop', response_status: 429 });
    expect(JSON.parse(second.body)).toMatchObject({ messages: 'Why?' });
    expect(JSON.parse(second.response_body)).toEqual({ error: { type: 'RangeError', message: 'refused' } });
  },
);

test('otlp: what LiteLLM, vLLM and the AI SDK send is stored once, however often it comes', async () => {
  const { send, rows } = await aPlace();
  const spans = [liteLlmSpan, liteLlmRawSpan, vLlmSpan, aiSdkSpans.call, aiSdkSpans.request, aiSdkSpans.embedding];
  const body = anExport(
    spans.map((span, n) => ({
      ...span,
      spanId: `${n + 1}`.repeat(16),
      startTimeUnixNano: `177762960000${n}000000`,
    })),
    { 'service.name': 'llm-proxy' },
  );
  for (let time = 0; time < 3; time += 1)
    expect((await send('/v1/traces', body)).body.partialSuccess.rejectedSpans).toBe('2');
  await send('/v1/traces', anExport([{ ...vLlmSpan, spanId: 'f'.repeat(16) }]));
  const stored = await rows(5);
  expect(stored.map(({ model, path, created_by: creator }) => [model, path, creator])).toEqual([
    ['gpt-4o-mini', 'gen_ai/chat', 'team-7'],
    ['meta-llama/Llama-3.1-8B-Instruct', 'gen_ai/inference', 'unknown_service'],
    ['meta-llama/Llama-3.1-8B-Instruct', 'gen_ai/inference', 'llm-proxy'],
    ['claude-sonnet-4-5', 'gen_ai/chat', 'user-3'],
    ['text-embedding-3-small', 'gen_ai/embeddings', 'llm-proxy'],
  ]);
});

test('otlp: the lines of the README make a service send its spans', async () => {
  const { path, tokens } = await aTokensFile([{ name: 'llm', scopes: ['requests'] }]);
  const { url, rows } = await aPlace({ SLUICE_GATEWAY_TOKENS_FILE: path });
  const lines = [...(await readFile('README.md', 'utf8')).matchAll(/^export (OTEL_\w+)=(\S+)/gm)];
  expect(lines.map(([, name]) => name)).toEqual([
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  ]);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const [, name = '', value = ''] of lines)
    vi.stubEnv(name, value.replace('http://127.0.0.1:9466', url).replace('sluice_…', tokens['llm'] as string));
  const { tracer, flush } = aTracer(new ProtobufExporter());
  tracer.startSpan('chat gpt-5', { attributes: modelRequest }).end();
  await flush();
  expect(await rows(1)).toMatchObject([{ model: 'gpt-5', created_by: 'shop' }]);
});
