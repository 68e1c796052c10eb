/** What the fields of an input mean where it is not what they mean in a record, or where there is no such field in a record. */

const textIsCut = 'A longer text is cut.';

export const executionInputFields: Readonly<Record<string, string>> = {
  id: 'A UUID of versions 1 to 8 that identifies the run: sent again with the same `recordedAt`, it is not stored again. Without it the gateway makes one, or derives it from the header Idempotency-Key.',
  recordedAt:
    'When the run ended: ISO 8601 with Z or an offset, or milliseconds since 1970. Required with an `id` that is not of version 7. By default the time in an id of version 7, else that of the arrival.',
  strategyVersion: 'The version of the definition. By default 0.',
  strategyType: '`DSL_FULL`, `DSL_EXTEND` or a name of your own. By default `unknown`.',
  strategyId: `The definition that ran, up to 512 characters. ${textIsCut}`,
  realmId: `The tenant, up to 512 characters. ${textIsCut}`,
  externalGameId: `The game that the run was for, up to 512 characters. ${textIsCut}`,
  externalTaskId: `The task that the run was for, up to 512 characters. ${textIsCut}`,
  externalUserId: `The person that the run was for, up to 512 characters; an erasure goes by it. ${textIsCut}`,
  errorCode: `A stable code, for runs that failed, up to 512 characters. ${textIsCut}`,
  errorMessage: `For people, for runs that failed, up to 4,096 characters. ${textIsCut}`,
  failedNodeId: `The node at which the run failed, up to 512 characters. ${textIsCut}`,
  status: 'How the run ended. Everything but `ok` is a failure, and is never sampled.',
  durationMs: 'Wall-clock time of the whole run in milliseconds. Below 0 it is stored with a note.',
  points: 'The result, where the strategy gives points.',
  caseName: `The case that the strategy decided for, up to 512 characters. ${textIsCut}`,
  parentStrategyId: `The built-in strategy that a \`DSL_EXTEND\` run wraps, up to 512 characters. ${textIsCut}`,
  astHash: `Identifies the program that ran, up to 512 characters. ${textIsCut}`,
  nodesExecuted: 'Number of evaluated nodes. By default 0.',
  trace:
    'The evaluated nodes in order, operands before the node that uses them: objects with `nodeId`, `type`, `value`, and optionally `branch` and `path`. The gateway cuts a long one.',
  traceLength: 'Entries of the trace before the sender cut it. By default those of `trace`.',
  sampleRate: 'The rate at which the sender keeps `ok` runs: the row stands for 1 / sampleRate of them. By default 1.',
  input: 'The input of the run, so that it can be replayed: any JSON.',
  attempt: '1 for the first attempt at an event. By default 1.',
  notes: 'What the sender changed to make the record fit. The gateway adds its own.',
  traceId: 'The trace of W3C Trace Context that the run belongs to: 32 hexadecimal digits, not all 0.',
  spanId: 'The span within `traceId`: 16 hexadecimal digits, not all 0.',
};

export const begunInputFields: Readonly<Record<string, string>> = {
  requestId:
    'A UUID of versions 1 to 8, the same one in the beginning and in the end: sent again, it is not stored again. Without it the gateway makes one, or derives it from the header Idempotency-Key.',
  createdBy:
    'The person or organisation that the request belongs to; an erasure goes by it. Spaces around it are taken off. It is never cut or repaired, so it must have neither NUL nor a lone surrogate.',
  model: `The model that was asked, up to 512 characters. ${textIsCut}`,
  endpoint: `The path of the API, such as /v1/responses, up to 2,048 characters. ${textIsCut}`,
  serviceTier: 'The tier of the API that served it. By default `priority`.',
  startedAt: 'When the request arrived: ISO 8601 with Z or an offset, or milliseconds since 1970.',
  requestBody: 'What the caller sent: text, or JSON, which is stored as its text. By default empty.',
  requestEncoding: '`base64`: the request body is the base64 of bytes that are not text. By default `utf8`.',
  apiKey: "The caller's key: hashed at once, never stored. Without a pepper in the gateway it leaves no trace.",
  apiKeyHash: 'The keyed hash, if you compute it yourself: 64 hexadecimal digits. `apiKey` takes precedence.',
  notes: 'What the sender changed to make the record fit. The gateway adds its own.',
  traceId: 'The trace of W3C Trace Context that the request belongs to: 32 hexadecimal digits, not all 0.',
  spanId: 'The span within `traceId`: 16 hexadecimal digits, not all 0.',
  provider: `Who serves the model, such as \`openai\` or \`azure.ai.openai\`, up to 512 characters. ${textIsCut} By default what the bodies say beyond doubt.`,
};

export const requestInputFields: Readonly<Record<string, string>> = {
  ...begunInputFields,
  statusCode: 'The status of HTTP. 2xx ends the request as completed, any other as failed.',
  completedAt: 'When the request ended, in the forms of `startedAt`. By default the time of the arrival.',
  responseBody: 'What the caller received: text, or JSON, which is stored as its text. By default empty.',
  responseEncoding: '`base64`: the response body is the base64 of bytes that are not text. By default `utf8`.',
  isStream: 'True: the response body is a stream of server-sent events as they were sent. By default false.',
  isIncomplete: 'True: the caller disconnected, or the stream was interrupted, before the end. By default false.',
  firstTokenAt:
    'When the first token of the answer arrived, in the forms of `startedAt`. A time before `startedAt` or after `completedAt` is left out.',
};
