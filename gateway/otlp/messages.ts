import protobuf from 'protobufjs/light.js';
import { maxValues, TooManyValuesError } from '../body/json-parts.ts';

const repeated = (type: string, id: number) => ({ rule: 'repeated', type, id });
const field = (type: string, id: number) => ({ type, id });

/**
 * What is read and written of OpenTelemetry's trace.proto, common.proto and trace_service.proto, and of google.rpc.Status, by
 * the names that OTLP has in JSON. Fields that are not here are skipped.
 */
const root = protobuf.Root.fromJSON({
  nested: {
    Span: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        name: field('string', 5),
        startTimeUnixNano: field('fixed64', 7),
        endTimeUnixNano: field('fixed64', 8),
        attributes: repeated('KeyValue', 9),
        events: repeated('Event', 11),
        status: field('SpanStatus', 15),
      },
    },
    Event: { fields: { name: field('string', 2), attributes: repeated('KeyValue', 3) } },
    SpanStatus: { fields: { message: field('string', 2), code: field('int32', 3) } },
    Resource: { fields: { attributes: repeated('KeyValue', 1) } },
    KeyValue: { fields: { key: field('string', 1), value: field('AnyValue', 2) } },
    AnyValue: {
      fields: {
        stringValue: field('string', 1),
        boolValue: field('bool', 2),
        intValue: field('int64', 3),
        doubleValue: field('double', 4),
        arrayValue: field('ArrayValue', 5),
        kvlistValue: field('KeyValueList', 6),
        bytesValue: field('bytes', 7),
      },
    },
    ArrayValue: { fields: { values: repeated('AnyValue', 1) } },
    KeyValueList: { fields: { values: repeated('KeyValue', 1) } },
    ExportTraceServiceResponse: { fields: { partialSuccess: field('PartialSuccess', 1) } },
    PartialSuccess: { fields: { rejectedSpans: field('int64', 1), errorMessage: field('string', 2) } },
    Status: { fields: { message: field('string', 2) } },
  },
});

const spanType = root.lookupType('Span');
const resourceType = root.lookupType('Resource');
const responseType = root.lookupType('ExportTraceServiceResponse');
const statusType = root.lookupType('Status');

/**
 * Shaped as in JSON, but with bytes and Longs.
 *
 * @throws TooManyValuesError when it has more fields than are decoded at once, Error when the bytes are no such message, or nested
 * too deeply
 */
export function decodeSpan(bytes: Uint8Array): object {
  if (hasTooManyFields(bytes, spanType)) throw new TooManyValuesError();
  return spanType.decode(bytes);
}
/** As `decodeSpan`. */
export const decodeResource = (bytes: Uint8Array): object => resourceType.decode(bytes);

/** What an export is answered with. Empty: everything was taken. */
export interface ExportResponse {
  partialSuccess?: { rejectedSpans: number; errorMessage: string };
}

export const encodeResponse = (response: ExportResponse): Uint8Array => responseType.encode(response).finish();
/** google.rpc.Status, of which OTLP uses the message only. */
export const encodeStatus = (message: string): Uint8Array => statusType.encode({ message }).finish();

/**
 * The submessages of a message that have this number, as views of its bytes; the fields between them are skipped.
 *
 * @throws Error when the bytes are no message
 */
export function* submessages(message: Uint8Array, id: number): Generator<Uint8Array> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === id * 8 + 2) yield reader.bytes();
    else if (tag >>> 3 === 0) throw new RangeError('there is no field 0');
    else reader.skipType(tag & 7);
  }
}

/** Whether a message has too many fields, with those of the messages in it: millions of empty ones fit into a few MiB. */
function hasTooManyFields(message: Uint8Array, type: protobuf.Type): boolean {
  // A field takes two bytes at least.
  if (message.length <= 2 * maxValues) return false;
  let fields = 0;
  const open = [{ message, type }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const reader = protobuf.Reader.create(next.message);
    while (reader.pos < reader.len) {
      fields += 1;
      if (fields > maxValues) return true;
      const tag = reader.uint32();
      const inner = next.type.fieldsById[tag >>> 3]?.resolvedType ?? null;
      if (inner instanceof protobuf.Type && (tag & 7) === 2) open.push({ message: reader.bytes(), type: inner });
      else reader.skipType(tag & 7);
    }
  }
  return false;
}
