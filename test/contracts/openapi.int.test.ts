import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { toOpenapi } from '../../contracts/openapi.ts';
import { refusalSchema, refusalStatuses } from '../../shared/contracts/gateway-answer.ts';
import { aGateway, anInput, aRequestInput, type GatewayAnswer, type Sending } from '../support/a-gateway.ts';
import { aJsonSpan, anExport, modelRequest } from '../support/otlp.ts';
import { aTokensFile } from '../support/tokens-file.ts';

// As it is written, without what JSON leaves out.
const document = JSON.parse(JSON.stringify(toOpenapi()));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'openapi');

type Part = Record<string, unknown>;

/** Checks a value against a schema of the document, given by its place. */
function check(place: string, value: unknown): string {
  const validate = ajv.getSchema(`openapi#${place}`);
  if (validate === undefined) throw new Error(`the document has no ${place}`);
  return validate(value) ? '' : ajv.errorsText(validate.errors);
}

const pointer = (...parts: string[]) =>
  parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const operations: { path: string; method: string; operation: Part }[] = Object.entries(
  document.paths as Record<string, Record<string, Part>>,
).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })));

test('openapi of the gateway: the document is one, and everything in it is of use', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  const text = JSON.stringify(document);
  for (const kind of ['schemas', 'headers'])
    for (const name of Object.keys(document.components[kind])) expect(text).toContain(`"#/components/${kind}/${name}"`);
});

test('openapi of the gateway: every example in it is what its schema says', () => {
  let checked = 0;
  const checkContent = (place: string[], content: Record<string, Part>): void => {
    for (const [type, { example, examples = {} }] of Object.entries(content)) {
      const values = [example, ...Object.values(examples as Record<string, Part>).map(({ value }) => value)];
      for (const value of values.filter((each) => each !== undefined)) {
        expect(check(pointer(...place, type, 'schema'), value)).toBe('');
        checked += 1;
      }
    }
  };
  for (const { path, method, operation } of operations) {
    const { requestBody, responses } = operation as { requestBody?: Part; responses: Record<string, Part> };
    const at = ['paths', path, method];
    if (requestBody !== undefined)
      checkContent([...at, 'requestBody', 'content'], requestBody['content'] as Record<string, Part>);
    for (const [status, { content }] of Object.entries(responses))
      checkContent([...at, 'responses', status, 'content'], content as Record<string, Part>);
    const lines = (requestBody?.['content'] as Record<string, Part> | undefined)?.['application/x-ndjson']?.['example'];
    const input = path === '/v1/executions' ? 'ExecutionInput' : 'RequestInput';
    for (const line of String(lines ?? '')
      .split('\n')
      .filter(Boolean))
      expect(check(pointer('components', 'schemas', input), JSON.parse(line))).toBe('');
  }
  expect(checked).toBeGreaterThan(30);
});

test('openapi of the gateway: its routes are those of the document', async () => {
  const { gateway } = await aGateway();
  await gateway.app.ready();
  for (const { path, method } of operations)
    expect(
      gateway.app.hasRoute({ method: method.toUpperCase() as 'GET', url: path.replaceAll(/\{(\w+)\}/g, ':$1') }),
      path,
    ).toBe(true);
  const routes = routesOf(gateway.app.printRoutes({ commonPrefix: false })).filter((path) => path.startsWith('/v1/'));
  expect(routes.toSorted()).toEqual(
    Object.keys(document.paths)
      .filter((path) => path.startsWith('/v1/'))
      .toSorted(),
  );
});

interface Call {
  path: string;
  method: 'post' | 'put';
  status: number;
  answer: Promise<GatewayAnswer>;
}

/** Holds answers against the document: their status, their body, and the headers that it promises. */
async function checkAnswers(calls: readonly Call[]): Promise<void> {
  for (const { path, method, status: expected, answer } of calls) {
    const { status, headers, body } = await answer;
    expect([path, status, body]).toEqual([path, expected, body]);
    const response = document.paths[path][method].responses[status];
    for (const name of Object.keys(response.headers ?? {})) {
      const place = `${response.headers[name].$ref.slice(1)}/schema`;
      const value = headers.get(name);
      expect(check(place, /^\d+$/.test(value ?? '') ? Number(value) : value), name).toBe('');
    }
    const at = pointer('paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema');
    expect(check(at, body), JSON.stringify(body)).toBe('');
  }
}

test('openapi of the gateway: what it answers is what the document says', async () => {
  const { send } = await aGateway();
  const json = { headers: { 'content-type': 'application/json' } };
  const id = '7f0d6c52-2b7e-4c57-9a55-0f5f3f6a1b2c';
  const { statusCode: _, ...begun } = aRequestInput();
  const executions = (status: number, ...[body, sending, query = '']: [unknown, Sending?, string?]): Call => ({
    ...{ path: '/v1/executions', method: 'post', status },
    answer: send(`/v1/executions${query}`, body, sending),
  });
  const requests = (status: number, body: unknown): Call => ({
    ...{ path: '/v1/requests', method: 'post', status },
    answer: send('/v1/requests', body),
  });
  const traces = (status: number, body: unknown, headers = json.headers): Call => ({
    ...{ path: '/v1/traces', method: 'post', status },
    answer: send('/v1/traces', body, { headers }),
  });
  const beginning = (status: number, of: string): Call => ({
    ...{ path: '/v1/requests/{id}/begin', method: 'put', status },
    answer: send(`/v1/requests/${of}/begin`, begun, { method: 'PUT' }),
  });
  await checkAnswers([
    executions(202, anInput()),
    executions(202, [anInput(), anInput({ strategyId: 7, id })], {}, '?sample=true'),
    executions(400, Array(101).fill({ strategyId: 7 })),
    executions(400, '{', json),
    executions(413, 'x'.repeat(1_048_577)),
    executions(415, 'a=1', { headers: { 'content-type': 'text/plain' } }),
    executions(415, '', { headers: { 'content-encoding': 'br' } }),
    requests(202, aRequestInput()),
    requests(400, aRequestInput({ statusCode: 99 })),
    beginning(202, id),
    beginning(400, '7'),
    traces(200, anExport([aJsonSpan(modelRequest)])),
    traces(200, anExport([aJsonSpan(modelRequest), aJsonSpan({})])),
    traces(400, '{'),
    traces(413, ' '.repeat(17 * 1_048_576)),
    traces(415, '', { 'content-type': 'application/x-ndjson' }),
  ]);
  const { body } = await send('/v2/executions', anInput());
  expect([refusalSchema.parse(body).error.code, refusalStatuses['not-found']]).toEqual(['not-found', 404]);
});

test('openapi of the gateway: what it answers to those who may not, who send too much, or while Redis is away', async () => {
  const { path: file, tokens } = await aTokensFile([
    { name: 'requests', scopes: ['requests'] },
    { name: 'limited', recordsPerSecond: 1 },
  ]);
  const { send } = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: file });
  const away = await aGateway({ REDIS_URL: 'redis://127.0.0.1:1' });
  const from = (status: number, answer: Promise<GatewayAnswer>): Call => ({
    ...{ path: '/v1/executions', method: 'post', status, answer },
  });
  const ofTraces = (status: number, answer: Promise<GatewayAnswer>): Call => ({
    ...{ path: '/v1/traces', method: 'post', status, answer },
  });
  const limited = { token: tokens['limited'] as string };
  await send('/v1/executions', Array(500).fill(anInput()), limited);
  await checkAnswers([
    from(401, send('/v1/executions', anInput())),
    from(403, send('/v1/executions', anInput(), { token: tokens['requests'] as string })),
    from(429, send('/v1/executions', anInput(), limited)),
    from(503, away.send('/v1/executions', anInput())),
    ofTraces(401, send('/v1/traces', anExport([]))),
    ofTraces(429, send('/v1/traces', anExport([]), limited)),
    ofTraces(503, away.send('/v1/traces', anExport([aJsonSpan(modelRequest)]))),
  ]);
});

/** The paths in the tree that Fastify prints of its routes. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods] = /^(.*)── (\S+)(?: \((.+)\))?$/.exec(line) ?? [];
    const depth = indent.length / 4;
    const path = `${parents.slice(0, Math.floor(depth)).join('')}${part}`;
    parents.splice(Math.floor(depth), parents.length, part);
    return methods === undefined ? [] : [path.replaceAll(/:(\w+)/g, '{$1}')];
  });
}
