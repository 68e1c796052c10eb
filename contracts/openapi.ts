import { STATUS_CODES } from 'node:http';
import {
  internalErrorCode,
  outcomeSchema,
  refusalSchema,
  refusalStatuses,
} from '../shared/contracts/gateway-answer.ts';
import { ledgerReportSchema } from '../shared/contracts/ledger-report-schema.ts';
import { contracts } from './contracts.ts';
import { type JsonSchema, toJsonSchema, toPlainSchema } from './to-json-schema.ts';

/** The version of the gateway's face, `major.minor`; the major one is in its paths. See README.md. */
const version = '1.1';

/** The gateway's OpenAPI document. */
export function toOpenapi() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice gateway',
      version,
      description:
        'Takes executions and completed requests from services in any language. 202 means that what is accepted is in Redis. After 429, 503 and no answer at all, send the same body again with the same ids: nothing is stored twice.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:9466', description: 'The default address' }],
    security: [{ bearer: [] }, {}],
    paths: {
      '/v1/executions': { post: sendExecutions() },
      '/v1/requests': { post: sendRequests() },
      '/v1/requests/{id}/begin': { put: beginRequest() },
      '/v1/traces': { post: sendTraces() },
      '/v1/reports': { post: sendReport() },
      '/healthz': { get: probe('isAlive', 'The process answers') },
      '/readyz': { get: probe('isReady', 'The gateway takes records', true) },
      '/metrics': { get: readMetrics() },
    },
    components: {
      schemas: schemas(),
      headers: {
        RetryAfter: {
          description: 'Seconds to wait before the same body is sent again.',
          required: true,
          schema: { type: 'integer', minimum: 1 },
        },
        Challenge: { description: 'Names the scheme, Bearer.', required: true, schema: { type: 'string' } },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of the sender, where the gateway has tokens.' },
      },
    },
  };
}

const inputs = {
  ExecutionInput: 'execution-input',
  RequestInput: 'request-input',
  BegunRequestInput: 'begun-request-input',
} as const;
type Input = keyof typeof inputs;

function contractOf(input: Input) {
  const contract = contracts.find(({ name }) => name === inputs[input]);
  if (contract === undefined) throw new Error(`${inputs[input]} is no contract`);
  return contract;
}

function schemas(): Record<string, JsonSchema> {
  const ofInputs = (Object.keys(inputs) as Input[]).map((input) => {
    // What names a document of its own has no place within another one.
    const { $schema, $id, $comment, ...schema } = toJsonSchema(contractOf(input));
    return [input, schema] as const;
  });
  return {
    ...Object.fromEntries(ofInputs),
    Outcome: { title: 'What became of the records of a body', ...toPlainSchema(outcomeSchema) },
    Refusal: { title: 'Why a body is not taken', ...toPlainSchema(refusalSchema) },
    LedgerReport: { title: 'What a producer has counted', ...toPlainSchema(ledgerReportSchema) },
    ...ofTraces,
  };
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Names the body. Records without an id get one that is derived from it, and a repetition within a day stores nothing twice.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
};

const contentEncoding = {
  name: 'Content-Encoding',
  in: 'header',
  description: 'How the body is compressed.',
  schema: { type: 'string', enum: ['identity', 'gzip', 'zstd'], default: 'identity' },
};

function sendExecutions() {
  return {
    operationId: 'sendExecutions',
    summary: 'Send executions',
    parameters: [
      {
        name: 'sample',
        in: 'query',
        description:
          'true: the gateway decides by its own rate which ok runs are stored. By default every record that is sent is stored.',
        schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
      },
      idempotencyKey,
      contentEncoding,
    ],
    requestBody: recordsOf('ExecutionInput'),
    responses: responses(),
  };
}

function sendRequests() {
  return {
    operationId: 'sendRequests',
    summary: 'Send requests that have ended',
    parameters: [idempotencyKey, contentEncoding],
    requestBody: recordsOf('RequestInput'),
    responses: responses(),
  };
}

function beginRequest() {
  const [example] = contractOf('BegunRequestInput').examples;
  return {
    operationId: 'beginRequest',
    summary: 'Tell of a request that still runs',
    description: 'Its row is in state `processing` until the end is sent to /v1/requests with the same id.',
    parameters: [
      {
        name: 'id',
        in: 'path',
        required: true,
        description: 'The id of the request, a UUID of versions 1 to 8. `requestId` in the body may be left out.',
        schema: { type: 'string', format: 'uuid' },
      },
      contentEncoding,
    ],
    requestBody: { required: true, content: { 'application/json': { schema: ref('BegunRequestInput'), example } } },
    responses: responses(),
  };
}

function sendReport() {
  return {
    operationId: 'sendReport',
    summary: 'Tell the ledger what a client has counted',
    description:
      'A client has no chunks: what says something about them is 0 or empty. The producer gets the name of the sender (`web-1@scoring-eu`). 202 means that the report is in Redis; otherwise forget it, as the next one says all of it again.',
    parameters: [
      {
        name: 'records',
        in: 'query',
        required: true,
        description: 'What the report is about. The token needs this scope.',
        schema: { type: 'string', enum: ['executions', 'requests'] },
      },
      contentEncoding,
    ],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: ref('LedgerReport'), example: reportExample } },
    },
    responses: responses(),
  };
}

const reportExample = {
  v: 4,
  producer: 'web-1',
  epoch: 1_777_629_000_000,
  life: '9f2c4e01ab',
  report: {
    ...{ number: 3, at: 1_777_629_660_020, kind: 'python', isFinal: false },
    ...{ lastSeq: 0, chunkedRecords: 0, waitingRecords: 2, unacknowledged: [], spilledRecords: 0, takenOverRecords: 0 },
    totals: { recorded: 120, sampledOut: 95, dropped: { bufferFull: 1 }, handed: 22 },
    minutes: [[29_627_161, 'acme', { recorded: 40, sampledOut: 31, handed: 7 }]],
  },
};

/** OpenTelemetry defines these messages. Here is what of them is read and written, as it is in JSON. */
const ofTraces: Record<string, JsonSchema> = {
  ExportTraceServiceRequest: {
    title: 'Spans as OTLP has them',
    type: 'object',
    properties: {
      resourceSpans: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            resource: { type: 'object' },
            scopeSpans: {
              type: 'array',
              items: { type: 'object', properties: { spans: { type: 'array', items: { type: 'object' } } } },
            },
          },
        },
      },
    },
  },
  ExportTraceServiceResponse: {
    title: 'What became of the spans of a body',
    type: 'object',
    properties: {
      partialSuccess: {
        type: 'object',
        description: 'Left out when all spans are in Redis.',
        properties: {
          rejectedSpans: {
            type: 'string',
            pattern: '^[1-9]\\d*$',
            description: 'Spans that are not stored: those that are no requests to models, and those that are refused.',
          },
          errorMessage: { type: 'string', description: 'Why, for people.' },
        },
        required: ['rejectedSpans', 'errorMessage'],
        additionalProperties: false,
      },
    },
    additionalProperties: false,
  },
  Status: {
    title: 'Why a body is not taken, as OTLP says it (google.rpc.Status)',
    type: 'object',
    properties: { message: { type: 'string', description: 'Why and what to do, for people.' } },
    required: ['message'],
    additionalProperties: false,
  },
};

function sendTraces() {
  const protobuf = (message: string) => ({
    'application/x-protobuf': { schema: { type: 'string', format: 'binary', description: `${message} of OTLP.` } },
  });
  const { 202: _accepted, ...refusals } = responses();
  return {
    operationId: 'sendTraces',
    summary: 'Send spans by OTLP/HTTP',
    description:
      'Spans of requests to models (`gen_ai.*`) become completed requests, with ids that are derived from theirs. An answer is in the format of its body.',
    parameters: [contentEncoding],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: ref('ExportTraceServiceRequest'), example: spanExample },
        ...protobuf('ExportTraceServiceRequest'),
      },
    },
    responses: {
      200: {
        description: 'All spans that are accepted are in Redis.',
        content: {
          'application/json': { schema: ref('ExportTraceServiceResponse'), examples: exportExamples },
          ...protobuf('ExportTraceServiceResponse'),
        },
      },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, refusal]) => [
          status,
          {
            ...(refusal as object),
            content: {
              'application/json': { schema: ref('Status'), example: { message: STATUS_CODES[status] } },
              ...protobuf('google.rpc.Status'),
            },
          },
        ]),
      ),
    },
  };
}

const spanExample = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
              name: 'chat gpt-5',
              startTimeUnixNano: '1777629600000000000',
              endTimeUnixNano: '1777629601500000000',
              attributes: [
                { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
                { key: 'gen_ai.request.model', value: { stringValue: 'gpt-5' } },
                { key: 'gen_ai.usage.input_tokens', value: { intValue: '7' } },
              ],
            },
          ],
        },
      ],
    },
  ],
};

const exportExamples = {
  all: { value: {} },
  some: {
    value: {
      partialSuccess: {
        rejectedSpans: '2',
        errorMessage: '2 of 3 spans are not stored: 2 are no requests to models (gen_ai.*)',
      },
    },
  },
};

/** A body of one record, of a list, or of lines. */
function recordsOf(input: Input) {
  const { examples } = contractOf(input);
  const lines = examples.map((example) => `${JSON.stringify(example)}\n`).join('');
  return {
    required: true,
    content: {
      'application/json': {
        schema: { anyOf: [ref(input), { type: 'array', items: ref(input) }] },
        examples: { one: { value: examples[0] }, several: { value: examples } },
      },
      'application/x-ndjson': {
        schema: { type: 'string', description: `JSON of ${input} on each line; read as it comes.` },
        example: lines,
      },
    },
  };
}

const descriptions: Record<number, string> = {
  202: 'All that is accepted is in Redis. Records may be rejected beside it.',
  400: 'Nothing is accepted: the body cannot be read, or each of its records is rejected.',
  401: 'No token, or a wrong one.',
  403: 'The token may not write this: its scope, realms or creators.',
  408: 'The body did not come in time.',
  413: 'The body, a line or a record is too large.',
  415: 'The Content-Type or the Content-Encoding is not accepted.',
  429: 'The quota of the token is used up. Nothing of the body is promised to be stored.',
  500: 'The gateway met an error of its own. Nothing of the body is promised to be stored.',
  503: 'The buffer is full, Redis is away, or the gateway shuts down. Nothing of the body is promised to be stored.',
};

/** The answers to a body; 404 is of no operation. */
function responses() {
  const statuses = [...new Set([...Object.values(refusalStatuses).filter((status) => status !== 404), 500])];
  return {
    202: {
      description: descriptions[202],
      content: { 'application/json': { schema: ref('Outcome'), examples: outcomeExamples } },
    },
    ...Object.fromEntries(statuses.toSorted((a, b) => a - b).map((status) => [status, refusalOf(status)])),
  };
}

function refusalOf(status: number) {
  const codes = Object.entries(refusalStatuses).flatMap(([code, of]) => (of === status ? [code] : []));
  const [example = internalErrorCode] = codes;
  return {
    description: `${descriptions[status]} error.code: ${codes.join(', ') || internalErrorCode}.`,
    ...headersOf(status),
    content: {
      'application/json': {
        schema: ref('Refusal'),
        example: { error: { code: example, message: STATUS_CODES[status] } },
      },
    },
  };
}

function headersOf(status: number) {
  if (status === 401) return { headers: { 'WWW-Authenticate': { $ref: '#/components/headers/Challenge' } } };
  const isLater = status === 429 || status === 503;
  return isLater ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } } : {};
}

const rejection = {
  index: 1,
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  field: 'strategyId',
  reason: 'Invalid input: expected string, received number',
};

const outcomeExamples = {
  all: { value: { accepted: 2, rejected: [] } },
  some: { value: { accepted: 1, rejected: [rejection] } },
};

function probe(operationId: string, summary: string, mayFail = false) {
  const status = (value: string) => ({
    'application/json': { schema: { type: 'object', required: ['status'], properties: { status: { const: value } } } },
  });
  return {
    operationId,
    summary,
    responses: {
      200: { description: 'Yes.', content: status('ok') },
      ...(mayFail ? { 503: { description: 'No; `reason` says why.', content: status('not ready') } } : {}),
    },
  };
}

function readMetrics() {
  return {
    operationId: 'readMetrics',
    summary: 'Metrics for Prometheus',
    responses: {
      200: { description: 'In its text format.', content: { 'text/plain': { schema: { type: 'string' } } } },
    },
  };
}
