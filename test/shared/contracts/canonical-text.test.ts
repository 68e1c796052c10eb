import { expect, test } from 'vitest';
import { takeApart } from '../../../producers/core/chunk-parts.ts';
import { createChunker } from '../../../producers/core/chunker.ts';
import { RecordBuffer } from '../../../producers/core/record-buffer.ts';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { captureBegunRequest, captureCompletedRequest } from '../../../producers/requests/request-record.ts';
import { executionFields, requestFields } from '../../../shared/contracts/canonical-text.ts';
import { requestRecordSchema } from '../../../shared/contracts/completed-request-schema.ts';
import { executionRecordSchema } from '../../../shared/contracts/execution-schema.ts';
import { anEntry } from '../../support/entry.ts';
import { context } from '../../support/execution-record.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

const wholeExecution = {
  id: '0197C2F0-7A4B-7C3D-9E1F-3B2A1C0D9E8F',
  recordedAt: '2026-01-02T03:04:05.678Z',
  strategyId: 's-1',
  strategyVersion: 3,
  strategyType: 'DSL_FULL',
  realmId: 'realm-1',
  externalGameId: 'game-1',
  externalTaskId: 'task-1',
  externalUserId: 'user\t1',
  status: 'error',
  errorCode: 'E',
  errorMessage: 'first line\nsecond line',
  failedNodeId: 'n1',
  points: 12.5,
  caseName: 'c',
  durationMs: 3.25,
  nodesExecuted: 2,
  trace: [{ nodeId: 'n1', value: 'a\tb\n' }],
  parentStrategyId: 'default',
  astHash: 'abc',
  input: { 'a\tkey': 'é' },
  attempt: '2',
  traceId,
  spanId,
} as const;

const narrowExecution =
  '{"id":"0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f","recordedAt":"2026-01-02T03:04:05.678Z","strategyId":"s-1",' +
  '"strategyVersion":3,"strategyType":"DSL_FULL","realmId":"realm-1","externalGameId":"game-1","externalTaskId":"task-1",' +
  '"externalUserId":"user\\t1","status":"error","errorCode":"E","errorMessage":"first line\\nsecond line","failedNodeId":"n1",' +
  '"points":12.5,"caseName":"c","durationMs":3.25,"nodesExecuted":2,"traceLength":1,"sampled":false,"sampleRate":1,' +
  '"parentStrategyId":"default","astHash":"abc","attempt":2,"notes":"attempt: string stored as a number",' +
  `"traceId":"${traceId}","spanId":"${spanId}"`;

const execution = (changes: object) => toExecutionRecord({ ...wholeExecution, ...changes } as never, context).json;

test('canonical text: an execution with all its fields', () => {
  expect(execution({})).toBe(
    `${narrowExecution},\t"trace":[{"nodeId":"n1","value":"a\\tb\\n"}],\t"input":{"a\\tkey":"é"}}`,
  );
});

test('canonical text: an execution without a trace or an input', () => {
  expect(execution({ trace: null })).toBe(
    `${narrowExecution.replace('"traceLength":1,', '')},\t"input":{"a\\tkey":"é"}}`,
  );
  expect(execution({ input: undefined })).toMatch(/"spanId":"\w+",\t"trace":\[[^\t]*\]\}$/);
  expect(execution({ input: null })).toMatch(/"spanId":"\w+",\t"trace":\[[^\t]*\],\t"input":null\}$/);
  expect(execution({ input: undefined, trace: undefined })).toMatch(/"spanId":"\w+"\}$/);
});

test('canonical text: an execution that is not plain, and one that was cut', () => {
  for (const changes of [
    { input: new Date(0) },
    { input: 'lone \ud800' },
    { input: ['x'.repeat(70_000)] },
    { trace: Array.from({ length: 30_000 }, () => ['\t']) },
  ]) {
    const json = execution(changes);
    const [head = '', trace = '', input = '', ...more] = json.split('\t');
    expect(head).toMatch(/^\{"id":"0197c2f0[^\t\n]*"notes":"[^"]+","traceId":"\w+","spanId":"\w+",$/);
    expect(trace).toMatch(/^"trace":\[[^\t\n]*\],$/);
    expect(input).toMatch(/^"input":[^\t\n]*\}$/);
    expect(more).toEqual([]);
  }
});

const requestContext = { nowMs: context.nowMs, maxBodyBytes: 1_000, hashApiKey: null, stripRequestKeys: [] };

const wholeRequest = {
  requestId: '0197C2F0-7A4B-7C3D-9E1F-3B2A1C0D9E8F',
  createdBy: 'user-1',
  model: 'm',
  endpoint: '/v1',
  serviceTier: 'flex',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
  completedAt: '2026-01-02T03:04:06.000Z',
  statusCode: 200,
  requestBody: '{\n\t"a":1}',
  responseBody: 'é',
  isStream: true,
  isIncomplete: 1,
  apiKeyHash: 'a'.repeat(64),
  traceId,
  spanId,
} as const;

const head = (phase: string): string =>
  `{"phase":"${phase}","requestId":"0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f","createdBy":"user-1","model":"m","endpoint":"/v1",` +
  '"serviceTier":"flex","startedAt":"2026-01-02T03:04:05.000Z"';
const about = '"requestEncoding":"utf8","requestBytes":9,"requestCut":false';

test('canonical text: a completed request with all its fields', () => {
  expect(captureCompletedRequest(wholeRequest as never, requestContext).write().json).toBe(
    `${head('completed')},"completedAt":"2026-01-02T03:04:06.000Z","statusCode":200,${about},` +
      '"responseEncoding":"utf8","responseBytes":2,"responseCut":false,"isStream":true,"isIncomplete":false,' +
      `"apiKeyHash":"${'a'.repeat(64)}","notes":"isIncomplete: number stored as false","traceId":"${traceId}","spanId":"${spanId}",` +
      '\t"requestBody":"{\\n\\t\\"a\\":1}",\t"responseBody":"é"}',
  );
});

test('canonical text: a request that has begun', () => {
  expect(captureBegunRequest(wholeRequest, requestContext).write().json).toBe(
    `${head('begun')},${about},"apiKeyHash":"${'a'.repeat(64)}","traceId":"${traceId}","spanId":"${spanId}",` +
      '\t"requestBody":"{\\n\\t\\"a\\":1}"}',
  );
});

test('canonical text: the order has every field of the contract, once', () => {
  const listed = ({ narrow, wide }: { narrow: readonly string[]; wide: readonly string[] }) =>
    [...narrow, ...wide].toSorted();
  expect(listed(executionFields)).toEqual(Object.keys(executionRecordSchema.shape).toSorted());
  const names = requestRecordSchema.options.flatMap(({ shape }) => Object.keys(shape));
  expect(listed(requestFields)).toEqual([...new Set(names)].toSorted());
});

test('canonical text: a newline stands between the records of a chunk, and between those of its parts', () => {
  const buffer = new RecordBuffer({ maxRecords: 10, maxBytes: 10_000 });
  const records = ['{"a":"\\n"}', '{"b":1,\t"c":[1, 2]}', '{"d":2}'];
  for (const json of records) buffer.offer(anEntry({ json }));
  const identity = { producer: 'p', epoch: 1, life: 'a' };
  const chunk = createChunker(buffer, { maxRecords: 10, maxBytes: 10_000 }, identity).next();
  const before = '{"v":1,"producer":"p","epoch":1,"life":"a","seq":1,"records":[';
  expect(chunk?.data).toBe(`${before}${records.join(',\n')}]}`);
  const parts = takeApart({ id: 'p.1.a.1', data: chunk?.data ?? '' });
  expect(parts?.part(0, 2).data).toBe(`${before}${records[0]},\n${records[1]}]}`);
  expect(parts?.part(2, 3).data).toBe(`${before}${records[2]}]}`);
});
