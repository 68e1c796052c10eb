/** What a record says of the span that it was made in: ids as W3C Trace Context writes them, and OpenTelemetry with it. */
export interface SpanContext {
  traceId: string;
  spanId: string;
}

/** 32 hexadecimal digits in lower case, not all of them 0. */
export const traceIdPattern = /^(?!0{32})[0-9a-f]{32}$/;

/** 16 hexadecimal digits in lower case, not all of them 0. */
export const spanIdPattern = /^(?!0{16})[0-9a-f]{16}$/;
