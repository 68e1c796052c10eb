import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import type { BegunRequestInput, RequestInput } from '../../shared/contracts/request-input.ts';

const begun: BegunRequestInput = {
  requestId: '7f0d6c52-2b7e-4c57-9a55-0f5f3f6a1b2c',
  createdBy: 'org-7',
  model: 'm-1',
  endpoint: '/v1/responses',
  startedAt: '2026-03-04T05:06:05.000Z',
  requestBody: { model: 'm-1', input: 'hello', background: true },
};

const least: RequestInput = {
  createdBy: 'org-7',
  model: 'm-1',
  endpoint: '/v1/responses',
  startedAt: 1_772_600_765_000,
  requestBody: '{"model":"m-1","input":"hello"}',
  statusCode: 200,
};

const whole: RequestInput = {
  ...least,
  requestId: '7f0d6c52-2b7e-4c57-9a55-0f5f3f6a1b2c',
  serviceTier: 'flex',
  startedAt: '2026-03-04T05:06:05.000Z',
  completedAt: '2026-03-04T05:06:07.089Z',
  responseBody: 'data: {"output":"hi"}\n\ndata: [DONE]\n\n',
  isStream: true,
  isIncomplete: false,
  apiKeyHash: '5e'.repeat(32),
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  provider: 'openai',
  firstTokenAt: '2026-03-04T05:06:05.500Z',
};

const refusedOfBoth = (good: object): Record<string, unknown> => ({
  'no object': 7,
  'no createdBy': { ...good, createdBy: undefined },
  'a blank createdBy': { ...good, createdBy: ' \t' },
  'a createdBy of 513 characters': { ...good, createdBy: 'c'.repeat(513) },
  'a request id that is no UUID': { ...good, requestId: 'req-1' },
  'an unknown tier': { ...good, serviceTier: 'turbo' },
  'a start without a zone': { ...good, startedAt: '2026-03-04 05:06:05' },
  'an unknown encoding': { ...good, requestEncoding: 'hex' },
  'a hash that is too short': { ...good, apiKeyHash: '5e5e' },
  'a field that the contract does not know': { ...good, created_by: 'org-7' },
});

export const input = {
  examples: [least, whole],
  counterExamples: {
    ...refusedOfBoth(least),
    'no statusCode': { ...least, statusCode: undefined },
    'a status that HTTP does not have': { ...least, statusCode: 99 },
    'a status as text': { ...least, statusCode: '200' },
    'a flag as text': { ...least, isStream: 'false' },
    'a provider that is no text': { ...least, provider: 1 },
    'a first token without a zone': { ...least, firstTokenAt: '2026-03-04 05:06:05' },
  },
};

export const begunInput = {
  examples: [begun],
  counterExamples: { ...refusedOfBoth(begun), 'an end': { ...begun, statusCode: 200 } },
};

export const begunRecord: RequestRecord = {
  phase: 'begun',
  requestId: '7f0d6c52-2b7e-4c57-9a55-0f5f3f6a1b2c',
  createdBy: 'org-7',
  model: 'm-1',
  endpoint: '/v1/responses',
  serviceTier: 'priority',
  startedAt: '2026-03-04T05:06:05.000Z',
  requestBody: '{"model":"m-1","input":"hello"}',
  requestEncoding: 'utf8',
  requestBytes: 31,
  requestCut: false,
};

export const completedRecord: RequestRecord = {
  ...begunRecord,
  phase: 'completed',
  statusCode: 200,
  completedAt: '2026-03-04T05:06:07.089Z',
  responseBody: '{"output":"hi"}',
  responseEncoding: 'utf8',
  responseBytes: 15,
  responseCut: false,
  isStream: false,
  isIncomplete: false,
};

export const requestWithSpan: RequestRecord = {
  ...completedRecord,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
};

const streamedRecord: RequestRecord = {
  ...completedRecord,
  isStream: true,
  provider: 'openai',
  firstTokenAt: '2026-03-04T05:06:05.500Z',
};

export const record = {
  examples: [begunRecord, completedRecord, requestWithSpan, streamedRecord],
  counterExamples: {
    'no object': [],
    'an unknown phase': { ...begunRecord, phase: 'ended' },
    'a beginning with an end': { ...completedRecord, phase: 'begun' },
    'an end without a status': { ...completedRecord, statusCode: undefined },
    'a request id that is no UUID': { ...begunRecord, requestId: 'req-1' },
    'a blank createdBy': { ...begunRecord, createdBy: '' },
    'a body that is no text': { ...begunRecord, requestBody: { model: 'm-1' } },
    'a size below 0': { ...begunRecord, requestBytes: -1 },
    'a status that HTTP does not have': { ...completedRecord, statusCode: 600 },
    'a time with an offset': { ...completedRecord, completedAt: '2026-03-04T05:06:07+01:00' },
    'a hash in upper case': { ...begunRecord, apiKeyHash: 'A'.repeat(64) },
    'a key': { ...begunRecord, apiKey: 'sk-1' },
    'a beginning with a first token': { ...begunRecord, firstTokenAt: '2026-03-04T05:06:05.500Z' },
    'a provider of 513 characters': { ...begunRecord, provider: 'p'.repeat(513) },
  },
};
