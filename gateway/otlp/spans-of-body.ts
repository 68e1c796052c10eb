import { parseJsonParts, TooManyValuesError } from '../body/json-parts.ts';
import type { Slice } from '../body/slice.ts';
import { Refusal } from '../http/refusal.ts';
import { type Attributes, fieldOf, readAttributes } from './attributes.ts';
import { decodeResource, decodeSpan, submessages } from './messages.ts';
import { readSpan, type Span } from './span.ts';

/** A span of a body, which is read when it is asked for. */
export interface IncomingSpan {
  /** what it takes in the body; 0: not known */
  bytes: number;
  /** @throws Error when it is no span */
  read(): Span;
  /** of what has made it. @throws Error when they cannot be read */
  resource(): Attributes;
}

/** A resource is read as a whole, for spans that are bounded one by one. */
const maxResourceBytes = 262_144;

/**
 * The spans of an ExportTraceServiceRequest in protobuf. They are found by their lengths, and none is decoded yet: a body of
 * empty messages would take many times its size.
 *
 * @throws Refusal when the body is no such message, or has more spans, or groups of spans, than `maxSpans`
 */
export async function spansOfProtobuf(body: Uint8Array, maxSpans: number): Promise<IncomingSpan[]> {
  const spans: IncomingSpan[] = [];
  const count = createCount(maxSpans);
  try {
    for (const resourceSpans of submessages(body, 1)) {
      count.group();
      const resource = once(() => readResource(resourceSpans));
      for (const scopeSpans of submessages(resourceSpans, 2)) {
        count.group();
        for (const span of submessages(scopeSpans, 2)) {
          count.span();
          spans.push({ bytes: span.length, read: () => readSpan(decodeSpan(span)), resource });
        }
      }
    }
  } catch (thrown) {
    if (thrown instanceof Refusal) throw thrown;
    throw new Refusal('invalid-request', 'The body is no ExportTraceServiceRequest in protobuf');
  }
  return spans;
}

/** As `spansOfProtobuf`, of JSON, whose spans are parsed one by one. */
export async function spansOfJson(body: Buffer, maxSpans: number, slice: Slice): Promise<IncomingSpan[]> {
  const { outline, parts } = await parseJsonParts(body, {
    ...{ within: pathOfSpans, what: 'spans', maxParts: maxSpans, slice },
  });
  if (typeof outline !== 'object' || outline === null || Array.isArray(outline)) throw noRequest('it is no object');
  const spans: IncomingSpan[] = [];
  const count = createCount(maxSpans);
  for (const resourceSpans of listOf(outline, 'resourceSpans')) {
    count.group();
    const resource = once(() => readAttributes(fieldOf(fieldOf(resourceSpans, 'resource'), 'attributes')));
    for (const scopeSpans of listOf(resourceSpans, 'scopeSpans')) {
      count.group();
      for (const index of listOf(scopeSpans, 'spans')) {
        count.span();
        spans.push({ bytes: 0, read: () => readSpan(partOf(parts, index)), resource });
      }
    }
  }
  return spans;
}

/** Of the lists in `{"resourceSpans":[{"scopeSpans":[{"spans":[…]}]}]}`. */
const pathOfSpans = '{[{[{[';

/** @throws TooManyValuesError in place of a span that was not parsed */
function partOf(parts: readonly unknown[], index: unknown): unknown {
  const part = parts[index as number];
  if (part instanceof TooManyValuesError) throw part;
  return part;
}

function readResource(resourceSpans: Uint8Array): Attributes {
  let attributes: Attributes = new Map();
  for (const resource of submessages(resourceSpans, 1)) {
    if (resource.length > maxResourceBytes) throw new Error(`the resource takes more than ${maxResourceBytes} bytes`);
    attributes = readAttributes(fieldOf(decodeResource(resource), 'attributes'));
  }
  return attributes;
}

/** @throws Refusal when there is something else in its place */
function listOf(message: unknown, name: string): unknown[] {
  const list = fieldOf(message, name) ?? [];
  if (Array.isArray(list)) return list;
  throw noRequest(`${name} is no list`);
}

function noRequest(reason: string): Refusal {
  return new Refusal('invalid-request', `The body is no ExportTraceServiceRequest in JSON: ${reason}`);
}

function createCount(max: number) {
  let spans = 0;
  let groups = 0;
  const tooMany = (what: string) =>
    new Refusal('too-large', `The body has more than ${max} ${what}; send them in several bodies`);
  return {
    span(): void {
      spans += 1;
      if (spans > max) throw tooMany('spans');
    },
    group(): void {
      groups += 1;
      if (groups > max) throw tooMany('groups of spans');
    },
  };
}

/** Keeps what was read, and what was thrown. */
function once<T>(read: () => T): () => T {
  let result: { value: T } | { thrown: unknown } | null = null;
  return () => {
    if (result === null)
      try {
        result = { value: read() };
      } catch (thrown) {
        result = { thrown };
      }
    if ('thrown' in result) throw result.thrown;
    return result.value;
  };
}
