import { createRandom } from '../../demo/random.ts';
import { createProse } from '../../demo/requests/prose.ts';
import { toErrorResponse, toEventStream, toJsonResponse, toRequestBody } from '../../demo/requests/request-bodies.ts';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import type { CompletedRequest } from '../../producers/index.ts';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';

/** A request that has ended, as it travels. */
export type Completion = Extract<RequestRecord, { phase: 'completed' }>;

/** The requests that every contender stores: the same ids, times and bodies, each in the form that it starts from. */
export interface RequestRows {
  count: number;
  /** the period after which rows repeat, except for id and times */
  period: number;
  /** of both bodies of a row, in UTF-8 */
  meanBytes: number;
  record(index: number): Completion;
  /** that record as text */
  json(index: number): string;
}

/** Text that is generated for one size of bodies; more rows repeat it with other ids. */
const distinctBytes = 32 * 1_024 * 1_024;
const maxDistinctRows = 1_000;
const seed = 1;
const durationMs = 1_500;
const creators = 50;
const models = ['gpt-5', 'claude-opus', 'llama-70b', 'qwen-coder'];
const streamShare = 0.5;
const failureShare = 0.03;

/** Generates requests with a request body of about this size, and a response body of the same size if the request succeeded. */
export function createRequestRows(count: number, bodyBytes: number): RequestRows {
  const random = createRandom(seed);
  const write = createProse(random);
  const length = Math.min(count, maxDistinctRows, Math.ceil(distinctBytes / (2 * bodyBytes)));
  const requests = Array.from({ length }, (_, index) => {
    const rest = drawRequest({ index, bodyBytes, random, write });
    return { rest, restJson: JSON.stringify(rest).slice(1), bytes: rest.requestBytes + rest.responseBytes };
  });
  const at = (index: number) => requests[index % length] as (typeof requests)[number];

  const firstMs = Date.now() - count - durationMs;
  const keys = Array.from({ length: count }, (_, index) => ({
    requestId: uuidV7(firstMs + index),
    startedAt: new Date(firstMs + index).toISOString(),
    completedAt: new Date(firstMs + index + durationMs).toISOString(),
  }));
  const keyOf = (index: number) => keys[index] as (typeof keys)[number];

  return {
    count,
    period: length,
    meanBytes: requests.reduce((sum, { bytes }) => sum + bytes, 0) / length,
    record: (index) => ({ ...keyOf(index), ...at(index).rest }),
    json(index) {
      const { requestId, startedAt, completedAt } = keyOf(index);
      return `{"requestId":"${requestId}","startedAt":"${startedAt}","completedAt":"${completedAt}",${at(index).restJson}`;
    },
  };
}

function drawRequest(options: {
  index: number;
  bodyBytes: number;
  random: () => number;
  write: (bytes: number) => string;
}): Omit<Completion, 'requestId' | 'startedAt' | 'completedAt'> {
  const { index, bodyBytes, random, write } = options;
  const model = models[index % models.length] ?? '';
  const isStream = random() < streamShare;
  const isFailure = random() < failureShare;
  const requestBody = filled(bodyBytes, write, (prompt) =>
    toRequestBody({ model, prompt, stream: isStream, background: false }),
  );
  const responseBody = isFailure
    ? toErrorResponse(429)
    : filled(bodyBytes, write, (text) => {
        const answer = { id: String(index), model, text, inputTokens: bodyBytes / 4, outputTokens: text.length / 4 };
        return isStream ? toEventStream(answer, { isBrokenOff: false }) : toJsonResponse(answer);
      });
  return {
    phase: 'completed',
    createdBy: `user-${index % creators}`,
    model,
    endpoint: '/v1/responses',
    serviceTier: 'priority',
    statusCode: isFailure ? 429 : 200,
    requestBody,
    requestEncoding: 'utf8',
    requestBytes: Buffer.byteLength(requestBody),
    requestCut: false,
    responseBody,
    responseEncoding: 'utf8',
    responseBytes: Buffer.byteLength(responseBody),
    responseCut: false,
    isStream: isStream && !isFailure,
    isIncomplete: false,
  };
}

/** A body of about this size: the text around the content is measured first. */
function filled(bytes: number, write: (bytes: number) => string, toBody: (text: string) => string): string {
  const sample = write(bytes);
  const empty = toBody('').length;
  const share = (toBody(sample).length - empty) / sample.length;
  return toBody(sample.slice(0, Math.max(0, Math.round((bytes - empty) / share))));
}

/** What a gateway passes to the SDK. */
export function toRequest(record: Completion): CompletedRequest {
  const { requestId, createdBy, model, endpoint, serviceTier, startedAt, completedAt } = record;
  const { requestBody, responseBody, statusCode, isStream, isIncomplete } = record;
  return {
    requestId,
    createdBy,
    model,
    endpoint,
    serviceTier,
    startedAt,
    completedAt,
    requestBody,
    responseBody,
    statusCode,
    isStream,
    isIncomplete,
  };
}
