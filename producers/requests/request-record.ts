import { requestLimits } from '../../shared/contracts/completed-request.ts';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import type { SpanContext } from '../../shared/contracts/span-context.ts';
import { FieldReader, kindOf } from '../core/field-reader.ts';
import { Notes } from '../core/notes.ts';
import { type SerializedRecord, toSerialized, writeCanonical } from '../core/record-json.ts';
import type { RecordRedaction, Redaction } from '../core/redact.ts';
import { hasSpan, readSpanFields } from '../core/span-fields.ts';
import { type JsonBounds, toStorableJson } from '../core/storable-json.ts';
import type { HashApiKey } from './api-key-hash.ts';
import type { BegunRequest, CompletedRequest } from './completed-request.ts';
import {
  readApiKeyHash,
  readFirstToken,
  readFlag,
  readServiceTier,
  readSpan,
  readStart,
  readStatusCode,
  requireCreator,
  requireRequestId,
} from './request-fields.ts';
import { toStoredBody } from './stored-body.ts';
import { withoutTopLevelKeys } from './without-top-level-keys.ts';

/** What is decided outside of the record. */
export interface RequestContext {
  nowMs: number;
  /** of a body, before it becomes base64; a longer one is cut */
  maxBodyBytes: number;
  /** null: no trace of a key is stored */
  hashApiKey: HashApiKey | null;
  /** top-level keys that are taken out of request bodies */
  stripRequestKeys: readonly string[];
  /** the active one. @default none */
  span?: SpanContext | null | undefined;
  /** what the notes say in any case. @default nothing */
  notes?: readonly string[] | undefined;
  /** applied before anything is kept. @default none */
  redaction?: Redaction | null | undefined;
}

/** A request whose fields were read, and whose bodies are still as they came. */
export interface CapturedRequest {
  /** what its JSON takes at least, in bytes; known without looking at the bodies */
  readonly leastBytes: number;
  /** it names its span, see `Entry` */
  readonly hasSpan: boolean;
  /**
   * Converts the bodies and writes the JSON: some ms for a body of 1 MiB. For a record that is longer than a string can be,
   * `bytes` is Infinity and there is no JSON.
   */
  write(): SerializedRecord;
}

const completedFields = [
  'requestId',
  'createdBy',
  'model',
  'endpoint',
  'serviceTier',
  'startedAt',
  'requestBody',
  'apiKey',
  'apiKeyHash',
  'traceId',
  'spanId',
  'provider',
  'statusCode',
  'responseBody',
  'completedAt',
  'isStream',
  'isIncomplete',
  'firstTokenAt',
] as const satisfies (keyof CompletedRequest)[];

type Fields = Record<(typeof completedFields)[number], unknown>;

/** Those whose values notes quote. */
const quotedFields = [
  'serviceTier',
  'startedAt',
  'completedAt',
  'statusCode',
  'traceId',
  'spanId',
  'firstTokenAt',
] as const;

/**
 * Reads a request that has ended. Whatever it holds, the record is one that the contract and PostgreSQL accept, and `notes`
 * says what was changed for it.
 *
 * @throws TypeError when it is no object, cannot be read, or has no proper `requestId` or `createdBy`: nobody could tell
 *   which request it is, or whose
 */
export function captureCompletedRequest(request: CompletedRequest, context: RequestContext): CapturedRequest {
  const redact = context.redaction?.begin() ?? null;
  const fields = readFields(request);
  if (redact !== null) for (const name of quotedFields) fields[name] = redact.quoted(fields[name]);
  const notes = new Notes(context.notes, redact?.note);
  const common = takeCommon(fields, context, redact, notes);
  const times = readSpan(fields, context.nowMs, notes);
  const statusCode = readStatusCode(fields.statusCode, notes);
  const isStream = readFlag('isStream', fields.isStream, notes);
  const isIncomplete = readFlag('isIncomplete', fields.isIncomplete, notes);
  const firstTokenAt = readFirstToken(fields.firstTokenAt, times, notes);
  const requestBody = takeBody('requestBody', fields.requestBody, context, redact, notes);
  const responseBody = takeBody('responseBody', fields.responseBody, context, redact, notes);
  return {
    leastBytes: leastBytes('requestBody', requestBody, context) + leastBytes('responseBody', responseBody, context),
    hasSpan: hasSpan(common),
    write() {
      const response = storeBody('responseBody', responseBody, context, redact, notes);
      const request = storeRequestBody(requestBody, context, redact, notes);
      notes.add(redact?.summary() ?? null);
      const narrow = {
        phase: 'completed',
        ...common.request,
        ...times,
        statusCode,
        ...request.about,
        responseEncoding: response.encoding,
        responseBytes: response.bytes,
        responseCut: response.cut,
        isStream,
        isIncomplete,
        ...endOf(common, notes),
        firstTokenAt,
      } as const;
      return writeRecord(narrow, { requestBody: request.text, responseBody: response.text });
    },
  };
}

/** As `captureCompletedRequest`, for a request that still runs. */
export function captureBegunRequest(request: BegunRequest, context: RequestContext): CapturedRequest {
  const redact = context.redaction?.begin() ?? null;
  const fields = readFields(request);
  if (redact !== null) for (const name of quotedFields) fields[name] = redact.quoted(fields[name]);
  const notes = new Notes(context.notes, redact?.note);
  const common = takeCommon(fields, context, redact, notes);
  const startedAt = readStart(fields.startedAt, context.nowMs, notes);
  const requestBody = takeBody('requestBody', fields.requestBody, context, redact, notes);
  return {
    leastBytes: leastBytes('requestBody', requestBody, context),
    hasSpan: hasSpan(common),
    write() {
      const request = storeRequestBody(requestBody, context, redact, notes);
      notes.add(redact?.summary() ?? null);
      const narrow = {
        phase: 'begun',
        ...common.request,
        startedAt,
        ...request.about,
        ...endOf(common, notes),
      } as const;
      return writeRecord(narrow, { requestBody: request.text });
    },
  };
}

/** Each is read once: a getter may answer differently the next time. */
function readFields(request: unknown): Fields {
  if (typeof request !== 'object' || request === null)
    throw new TypeError(`the request is ${kindOf(request)}; give an object with at least requestId and createdBy`);
  const fields = {} as Fields;
  for (const name of completedFields) {
    try {
      fields[name] = (request as Record<string, unknown>)[name];
    } catch (cause) {
      throw new TypeError(`${name} cannot be read; give a plain object`, { cause });
    }
  }
  return fields;
}

function takeCommon(
  fields: Fields,
  { hashApiKey, span }: RequestContext,
  redact: RecordRedaction | null,
  notes: Notes,
) {
  const read = new FieldReader(notes);
  const endpoint = redact === null ? fields.endpoint : redact.text('endpoint', fields.endpoint);
  return {
    request: {
      requestId: requireRequestId(fields.requestId),
      createdBy: requireCreator(fields.createdBy),
      model: read.text('model', fields.model, requestLimits.identifierChars) || 'unknown',
      endpoint: read.text('endpoint', endpoint, requestLimits.endpointChars) ?? '',
      serviceTier: readServiceTier(fields.serviceTier, notes),
    },
    apiKeyHash: readApiKeyHash(fields, hashApiKey, notes),
    provider: read.text('provider', fields.provider, requestLimits.identifierChars) || undefined,
    ...readSpanFields(fields, span, notes),
  };
}

/** The last narrow fields. The notes are complete only when the bodies are stored. */
function endOf({ apiKeyHash, traceId, spanId, provider }: ReturnType<typeof takeCommon>, notes: Notes) {
  return { apiKeyHash, notes: notes.toText(requestLimits.notesChars), traceId, spanId, provider };
}

/** Text and bytes as they are; what is neither becomes JSON at once, since it may change later. */
function takeBody(
  name: BodyName,
  body: unknown,
  { maxBodyBytes }: RequestContext,
  redact: RecordRedaction | null,
  notes: Notes,
): string | Uint8Array {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  try {
    if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    if (body instanceof ArrayBuffer) return new Uint8Array(body);
    const bounds: JsonBounds = { depth: 64, nodes: 100_000, stringChars: maxBodyBytes, chars: maxBodyBytes };
    const value = redact === null ? body : redact.bodyValue(name, body, maxBodyBytes);
    const json = JSON.stringify(toStorableJson(value, bounds, notes.changed, name));
    notes.changed(name, `${kindOf(body)} stored as JSON`);
    return json;
  } catch {
    return unreadable(name, notes);
  }
}

function storeRequestBody(
  body: string | Uint8Array,
  context: RequestContext,
  redact: RecordRedaction | null,
  notes: Notes,
) {
  const stored = storeBody('requestBody', withoutKeys(body, context.stripRequestKeys), context, redact, notes);
  return {
    text: stored.text,
    about: { requestEncoding: stored.encoding, requestBytes: stored.bytes, requestCut: stored.cut },
  };
}

function withoutKeys(body: string | Uint8Array, keys: readonly string[]): string | Uint8Array {
  if (keys.length === 0 || body.length === 0) return body;
  if (typeof body === 'string') return withoutTopLevelKeys(body, keys);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return withoutTopLevelKeys(text, keys);
  } catch {
    return body;
  }
}

function storeBody(
  name: BodyName,
  body: string | Uint8Array,
  { maxBodyBytes }: RequestContext,
  redact: RecordRedaction | null,
  notes: Notes,
) {
  const onChange = (what: string): void => notes.changed(name, what);
  try {
    return toStoredBody(redact === null ? body : redact.body(name, body, maxBodyBytes), maxBodyBytes, onChange);
  } catch {
    // Bytes whose buffer was handed to another thread, or an object that only claims to be bytes.
    return toStoredBody(unreadable(name, notes), maxBodyBytes, onChange);
  }
}

function unreadable(name: string, notes: Notes): string {
  notes.changed(name, 'could not be read, left out');
  return '';
}

/** A character is a byte at least, and a cut goes back to the beginning of one. */
function leastBytes(
  name: BodyName,
  body: string | Uint8Array,
  { maxBodyBytes, stripRequestKeys, redaction }: RequestContext,
): number {
  const mayShrink = redaction?.concerns(name) || (name === 'requestBody' && stripRequestKeys.length > 0);
  return mayShrink ? 0 : Math.max(0, Math.min(body.length, maxBodyBytes - 3));
}

type BodyName = 'requestBody' | 'responseBody';
type Bodies = { requestBody: string; responseBody?: string };
type Narrow<R> = R extends RequestRecord ? Omit<R, keyof Bodies> : never;

/** @param narrow in their order in the text */
function writeRecord(narrow: Narrow<RequestRecord>, bodies: Bodies): SerializedRecord {
  try {
    return toSerialized(writeCanonical(narrow, bodies));
  } catch {
    return { json: '', bytes: Number.POSITIVE_INFINITY };
  }
}
