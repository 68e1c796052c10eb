import type { RequestRecord } from './completed-request-schema.ts';
import type { ExecutionRecord } from './execution-schema.ts';

/**
 * The canonical text of a record and of a chunk, as the SDK writes them: valid JSON whose structure shows without a parser,
 * since JSON.stringify writes no raw tab and no raw newline.
 *
 * - A record: its narrow fields in this order, without spaces, those without a value left out; then its wide fields, each with a
 *   tab between the comma and its name. It has no other tab and no newline. Times are as `toISOString` writes them, UUIDs in lower case.
 * - A chunk: `{"v":…,"producer":…,"epoch":…,"life":…,"seq":…,"records":[…]}` with a newline behind the comma between two
 *   records, and no other newline.
 *
 * Nobody may rely on it unseen: other texts are valid, too, from older versions of the SDK and from other producers.
 */
interface CanonicalFields<R> {
  narrow: readonly FieldOf<R>[];
  wide: readonly FieldOf<R>[];
}

type FieldOf<R> = R extends unknown ? keyof R & string : never;

/** between two records of a chunk */
export const recordSeparator = ',\n';

/** before the name of a wide field */
export const wideSeparator = ',\t';

export const executionFields = {
  narrow: [
    'id',
    'recordedAt',
    'strategyId',
    'strategyVersion',
    'strategyType',
    'realmId',
    'externalGameId',
    'externalTaskId',
    'externalUserId',
    'status',
    'errorCode',
    'errorMessage',
    'failedNodeId',
    'points',
    'caseName',
    'durationMs',
    'nodesExecuted',
    'traceLength',
    'sampled',
    'sampleRate',
    'parentStrategyId',
    'astHash',
    'attempt',
    'notes',
    'traceId',
    'spanId',
  ],
  wide: ['trace', 'input'],
} as const satisfies CanonicalFields<ExecutionRecord>;

export const requestFields = {
  narrow: [
    'phase',
    'requestId',
    'createdBy',
    'model',
    'endpoint',
    'serviceTier',
    'startedAt',
    'completedAt',
    'statusCode',
    'requestEncoding',
    'requestBytes',
    'requestCut',
    'responseEncoding',
    'responseBytes',
    'responseCut',
    'isStream',
    'isIncomplete',
    'apiKeyHash',
    'notes',
    'traceId',
    'spanId',
    'provider',
    'firstTokenAt',
  ],
  wide: ['requestBody', 'responseBody'],
} as const satisfies CanonicalFields<RequestRecord>;
