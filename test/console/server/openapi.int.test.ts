import { Validator } from '@seriousme/openapi-schema-validator';
import { type Document, type OpenAPIClient, OpenAPIClientAxios } from 'openapi-client-axios';
import { expect, test } from 'vitest';
import { aConsole, allTokens, operatorToken } from '../../support/a-console.ts';
import { seed } from '../../support/seed-console.ts';

/** What is passed to an operation: the parameters, and the body. */
type Arguments = [parameters: Record<string, string | number>, body?: unknown];

test('openapi: the document that is served is one, by its own rules', async () => {
  const { get } = await aConsole(allTokens);
  const { status, body } = await get('/api/v1/openapi.json');
  expect(status).toBe(200);
  expect(await new Validator().validate(body)).toEqual({ valid: true });
  // Everything in it is of use: each schema is that of an answer, or part of one.
  const text = JSON.stringify(body);
  for (const name of Object.keys(body.components.schemas)) expect(text).toContain(`"#/components/schemas/${name}"`);
  expect(body.paths['/login'].post.security).toEqual([]);
});

test('openapi: a client that is generated from the served document calls every operation', async () => {
  const place = await aConsole(allTokens);
  const { executionId, requestId, deadLetterId } = await seed(place);
  const baseURL = await place.app.listen({ host: '127.0.0.1', port: 0 });
  const definition = (await (await fetch(`${baseURL}/api/v1/openapi.json`)).json()) as Document;
  const api = new OpenAPIClientAxios({
    definition,
    axiosConfigDefaults: { baseURL, headers: { authorization: `Bearer ${operatorToken}` }, validateStatus: () => true },
  });
  const client: OpenAPIClient = await api.init();

  const calls: Record<string, Arguments> = {
    getSession: [{}],
    login: [{}, { token: operatorToken }],
    logout: [{}],
    listExecutions: [{ strategyId: 'bonus', status: 'ok', limit: 10, node: 'n1', gave: '>= 10' }],
    getExecution: [{ id: executionId }],
    listStrategies: [{ window: '7d' }],
    getStrategy: [{ strategyId: 'bonus', window: '1h', bucketSeconds: 60, top: 5 }],
    compareStrategies: [{ a: 'bonus', b: 'theirs' }],
    getUpstreamMetrics: [{ strategyId: 'bonus' }],
    compareUpstreamMetrics: [{ a: 'bonus', b: 'theirs', weighted: 'false' }],
    listRequests: [{ createdBy: 'creator-1', text: 'hello' }],
    getRequest: [{ id: requestId, maxBodyChars: 100 }],
    getRequestBody: [{ id: requestId, body: 'response' }],
    getRequestStats: [{ window: '7d', by: 'model', sort: 'cost', top: 5, bucketSeconds: 86_400 }],
    compareRequests: [{ a: 'gpt-5', b: 'other', window: '7d' }],
    listRuntimeRecords: [{ status: 'running' }],
    getRuntimeRecord: [{ gameId: 'game-1' }],
    getHealthEvents: [{}],
    listDeadLetters: [{ state: 'open' }],
    listDeadLetterCauses: [{}],
    getDeadLetter: [{ id: deadLetterId }],
    listQueues: [{}],
    getQueueHistory: [{}],
    getScaling: [{ targetSeconds: 30 }],
    getLedger: [{ window: '1h', queue: 'execution-log' }],
    replayDeadLetters: [{}, { ids: [deadLetterId], repairs: ['drop:notes'] }],
    discardDeadLetters: [{}, { queue: 'execution-log' }],
    listNames: [{ kind: 'strategy', limit: 10 }],
    writeNames: [{}, { names: [{ kind: 'strategy', id: 'bonus', name: 'Weekly bonus' }] }],
    deleteRequest: [{ id: requestId }],
    beginErasure: [{}, { kind: 'user', id: 'nobody', dryRun: true }],
    getErasure: [{}],
  };
  const operations = api.getOperations().map(({ operationId }) => operationId);
  expect(Object.keys(calls).toSorted()).toEqual(operations.toSorted());

  const statuses: Record<string, number> = {};
  for (const [operation, [parameters, body]] of Object.entries(calls)) {
    const answer = await client[operation]?.(parameters, body);
    statuses[operation] = answer?.status ?? 0;
    if (answer?.status === 200) expect(answer.data, operation).toBeTypeOf('object');
  }
  const others: Record<string, number> = { deleteRequest: 204, logout: 204, beginErasure: 202 };
  const expected = Object.keys(calls).map((operation) => [operation, others[operation] ?? 200]);
  expect(statuses).toEqual(Object.fromEntries(expected));
});

test('openapi: every route of the API is in the document, each with its errors', async () => {
  const { app, get } = await aConsole();
  const { paths } = (await get('/api/v1/openapi.json')).body as Document;
  const described = Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item ?? {}).map(([method, operation]) => {
      expect(Object.keys((operation as { responses: object }).responses), path).toEqual(
        expect.arrayContaining(['4XX', '5XX']),
      );
      return `${method.toUpperCase()} ${path}`;
    }),
  );
  for (const route of described) {
    const [method = '', path = ''] = route.split(' ');
    expect(app.hasRoute({ method: method as 'GET', url: path.replaceAll(/\{(\w+)\}/g, ':$1') }), route).toBe(true);
  }
  expect(described.length).toBeGreaterThan(20);
});

test('openapi: no route ignores a parameter that it does not take, but those of the original', async () => {
  const { app, get } = await aConsole();
  const { paths } = (await get('/api/v1/openapi.json')).body as Document;
  const ignoring: string[] = [];
  for (const [path, item] of Object.entries(paths ?? {}))
    for (const method of Object.keys(item ?? {})) {
      const url = `${path.replaceAll(/\{\w+\}/g, '0199a000-0000-7000-8000-000000000001')}?form=1`;
      const { statusCode, body } = await app.inject({ method: method.toUpperCase() as 'GET', url });
      const [error] = (JSON.parse(body) as { errors?: { field: string; message: string }[] }).errors ?? [];
      if (error?.field !== 'form') ignoring.push(path);
      else expect([statusCode, error.message]).toEqual([400, expect.stringMatching(/; (none is )?accepted/)]);
    }
  expect(ignoring).toEqual(['/api/v1/strategies/custom/compare', '/api/v1/strategies/custom/{strategyId}/metrics']);
  expect((await get('/api/v1/ledger?form=1')).body).toMatchObject({
    status: 400,
    errors: [
      {
        in: 'querystring',
        field: 'form',
        message:
          'is not a parameter of this address; accepted: since, until, window, queue, producer, realmId, bucketSeconds',
      },
    ],
  });
});
