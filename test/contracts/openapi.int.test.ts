import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { toOpenapi } from '../../contracts/openapi.ts';
import { refusalSchema, refusalStatuses } from '../../shared/contracts/gateway-answer.ts';
import { aGateway, anInput, aRequestInput } from '../support/a-gateway.ts';

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

test('openapi of the gateway: what it answers is what the document says', async () => {
  const { send } = await aGateway();
  const json = { headers: { 'content-type': 'application/json' } };
  const id = '7f0d6c52-2b7e-4c57-9a55-0f5f3f6a1b2c';
  const { startedAt, createdBy, model, endpoint } = aRequestInput();
  const begun = { startedAt, createdBy, model, endpoint };
  const calls: [
    path: string,
    method: 'post' | 'put',
    status: number,
    answer: Promise<{ status: number; body: unknown }>,
  ][] = [
    ['/v1/executions', 'post', 202, send('/v1/executions', anInput())],
    ['/v1/executions', 'post', 202, send('/v1/executions?sample=true', [anInput(), anInput({ strategyId: 7, id })])],
    ['/v1/executions', 'post', 400, send('/v1/executions', Array(101).fill({ strategyId: 7 }))],
    ['/v1/executions', 'post', 400, send('/v1/executions', '{', json)],
    ['/v1/executions', 'post', 413, send('/v1/executions', 'x'.repeat(1_048_577))],
    ['/v1/executions', 'post', 415, send('/v1/executions', 'a=1', { headers: { 'content-type': 'text/plain' } })],
    ['/v1/executions', 'post', 415, send('/v1/executions', '', { headers: { 'content-encoding': 'br' } })],
    ['/v1/requests', 'post', 202, send('/v1/requests', aRequestInput())],
    ['/v1/requests', 'post', 400, send('/v1/requests', aRequestInput({ statusCode: 99 }))],
    ['/v1/requests/{id}/begin', 'put', 202, send(`/v1/requests/${id}/begin`, begun, { method: 'PUT' })],
    ['/v1/requests/{id}/begin', 'put', 400, send('/v1/requests/7/begin', begun, { method: 'PUT' })],
  ];
  for (const [path, method, expected, answer] of calls) {
    const { status, body } = await answer;
    expect([path, status, body]).toEqual([path, expected, body]);
    const at = pointer('paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema');
    expect(check(at, body), JSON.stringify(body)).toBe('');
  }
  const { body } = await send('/v2/executions', anInput());
  expect([refusalSchema.parse(body).error.code, refusalStatuses['not-found']]).toEqual(['not-found', 404]);
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
