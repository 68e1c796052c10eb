import { type Attributes, decimalOf, fieldOf, firstItems, readAttributes } from './attributes.ts';

/** A span, whichever way it came. */
export interface Span {
  /** hexadecimal digits in lower case, as many as it has; '': none */
  traceId: string;
  spanId: string;
  name: string;
  /** ms since 1970; null: it does not say */
  startMs: number | null;
  endMs: number | null;
  attributes: Attributes;
  events: readonly SpanEvent[];
  isError: boolean;
  statusMessage: string;
}

export interface SpanEvent {
  name: string;
  attributes: Attributes;
}

/** Reads a span, as JSON or decoded from protobuf. Never throws. */
export function readSpan(raw: unknown): Span {
  const status = fieldOf(raw, 'status');
  const code = fieldOf(status, 'code');
  return {
    traceId: readId(fieldOf(raw, 'traceId')),
    spanId: readId(fieldOf(raw, 'spanId')),
    name: readText(fieldOf(raw, 'name')),
    startMs: readTime(fieldOf(raw, 'startTimeUnixNano')),
    endMs: readTime(fieldOf(raw, 'endTimeUnixNano')),
    attributes: readAttributes(fieldOf(raw, 'attributes')),
    events: readEvents(fieldOf(raw, 'events')),
    isError: code === 2 || code === 'STATUS_CODE_ERROR',
    statusMessage: readText(fieldOf(status, 'message')),
  };
}

function readEvents(list: unknown): SpanEvent[] {
  return firstItems(list).map((event) => ({
    name: readText(fieldOf(event, 'name')),
    attributes: readAttributes(fieldOf(event, 'attributes')),
  }));
}

const readText = (value: unknown): string => (typeof value === 'string' ? value : '');

function readId(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return readText(value).toLowerCase();
}

/** Ns since 1970, 0 counts as absent. */
function readTime(value: unknown): number | null {
  const nanos = decimalOf(value);
  if (nanos === null || !/^\d{1,20}$/.test(nanos)) return null;
  const ms = Number(BigInt(nanos) / 1_000_000n);
  return ms === 0 ? null : ms;
}
