import type { ServiceTier } from '../../shared/contracts/completed-request.ts';
import type { DeliveryCounts } from '../core/delivery-ledger.ts';

/**
 * What became of every call since the sender was made, and of every record that it accepted. Calls that have ended are the
 * sum of the first five; accepted records are in the buffer, `sent`, `rejected`, `spilled`, `takenOver` or `dropped`.
 */
export interface SenderStats extends Omit<DeliveryCounts, 'refused'> {
  accepted: number;
  /** no record, or larger than the whole buffer */
  refused: number;
  aborted: number;
  /** calls after close, and sends that still waited for room at its end */
  closed: number;
  /** trySend without room */
  declined: number;
  /** sends that wait for room now */
  waiting: number;
  /** of those accepted: permanently refused by Redis because of their content, and left out */
  rejected: number;
  /** of those accepted: left unsent by close, or damaged on disk */
  dropped: number;
}

/** A point in time: a Date, milliseconds since 1970, or ISO 8601 text. */
export type Time = Date | number | string;

/** A body as it was received: text or bytes. Bytes must not change until the record is accepted. */
export type Body = string | Uint8Array | null;

/**
 * A request that is still running. Only `requestId` and `createdBy` must be valid. Everything else is repaired if it cannot
 * be stored, and the record's `notes` say so.
 */
export interface BegunRequest {
  /** a UUID; the same in `begin` and `send` */
  requestId: string;
  /** the person or organisation that the request belongs to, at most 512 characters, trimmed */
  createdBy: string;
  /** at most 512 characters. @default 'unknown' */
  model?: string | null;
  /** the path of the API, such as /v1/responses, at most 2,048 characters. @default '' */
  endpoint?: string | null;
  /** @default 'priority' */
  serviceTier?: ServiceTier | null;
  /** @default the time of the call */
  startedAt?: Time | null;
  /** what the caller sent. @default '' */
  requestBody?: Body;
  /** the caller's key; only its HMAC with SLUICE_API_KEY_PEPPER is stored, and nothing without a pepper */
  apiKey?: string | null;
  /** the HMAC, if you compute it yourself: 64 hexadecimal digits; `apiKey` takes precedence */
  apiKeyHash?: string | null;
  /** 32 hexadecimal digits; null: it belongs to no trace. @default that of the span of OpenTelemetry that is active at the call */
  traceId?: string | null;
  /** 16 hexadecimal digits. @default that of the active span, where it is of this trace */
  spanId?: string | null;
  /**
   * who serves the model, such as `openai` or `azure.ai.openai`, at most 512 characters. @default what the bodies say beyond
   * doubt
   */
  provider?: string | null;
}

/** A request that has ended. */
export interface CompletedRequest extends BegunRequest {
  /** the HTTP status, 100 to 599. Anything else is stored as 599 */
  statusCode: number;
  /** what the caller received. @default '' */
  responseBody?: Body;
  /** @default the time of the call */
  completedAt?: Time | null;
  /** the response body is a stream of server-sent events as they were sent. @default false */
  isStream?: boolean;
  /** the caller disconnected or the stream broke before the end. @default false */
  isIncomplete?: boolean;
  /** when the first token of the answer arrived. @default not known */
  firstTokenAt?: Time | null;
}
