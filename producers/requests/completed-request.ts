import type { ServiceTier } from '../../shared/contracts/completed-request.ts';

/**
 * What became of every call since the sender was made, and of every record that it accepted. Calls that have ended are the
 * sum of the first five; accepted records are in the buffer, `sent`, `rejected`, `spilled`, `takenOver` or `dropped`.
 */
export interface SenderStats {
  accepted: number;
  /** no record, or larger than the whole buffer */
  refused: number;
  aborted: number;
  /** called after close, or waiting for room at its end */
  closed: number;
  /** trySend without room */
  declined: number;
  /** sends that wait for room now */
  waiting: number;
  /** of those accepted: acknowledged by Redis, whether they had been on disk or not */
  sent: number;
  /** of those accepted: refused by Redis for what they are, and left out */
  rejected: number;
  /** of those accepted: on disk, waiting for Redis; 0 without a spill */
  spilled: number;
  /** of those accepted: on disk when another life took this one for dead, after a long stall; that one sends them */
  takenOver: number;
  /** of those accepted: left unsent by close, or damaged on disk */
  dropped: number;
  /** records of former lives that were on disk and reached Redis; they are in no other account */
  recovered: number;
}

/** A point in time: a Date, milliseconds since 1970, or text as ISO 8601 has it. */
export type Time = Date | number | string;

/** A body as it came: text, or bytes of any kind. Bytes must not change until the record is accepted. */
export type Body = string | Uint8Array | null;

/**
 * A request whose row is to be there while it still runs. Only `requestId` and `createdBy` must be right: everything else
 * is mended where it cannot be stored, and the record's `notes` say so.
 */
export interface BegunRequest {
  /** a UUID; the same in `begin` and `send` */
  requestId: string;
  /** the person or organisation that the request belongs to, at most 512 characters; spaces around it are taken off */
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
  /** such an HMAC made elsewhere, 64 hexadecimal digits; `apiKey` goes before it */
  apiKeyHash?: string | null;
  /** 32 hexadecimal digits; null: it belongs to no trace. @default that of the span of OpenTelemetry that is active at the call */
  traceId?: string | null;
  /** 16 hexadecimal digits. @default that of the active span, where it is of this trace */
  spanId?: string | null;
}

/** A request that has ended. */
export interface CompletedRequest extends BegunRequest {
  /** of HTTP: 100 to 599. What is none is stored as 599 */
  statusCode: number;
  /** what the caller got. @default '' */
  responseBody?: Body;
  /** @default the time of the call */
  completedAt?: Time | null;
  /** the response is a stream of server-sent events, as they came. @default false */
  isStream?: boolean;
  /** the caller went away, or the stream broke off, before the end. @default false */
  isIncomplete?: boolean;
}
