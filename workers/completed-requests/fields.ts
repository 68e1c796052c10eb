import { requestFields } from '../../shared/contracts/canonical-text.ts';
import { bodyEncodings, requestLimits, serviceTiers } from '../../shared/contracts/completed-request.ts';
import { type NarrowField, canonicalValues as values } from '../ingest/canonical-chunk.ts';

/** A narrow field of a record, and the type that the statement reads it with. */
interface Field extends NarrowField {
  type: string;
}

type Kind = Pick<Field, 'type' | 'value'> & Partial<Pick<Field, 'isOptional' | 'maxLength'>>;

const ofText = (value: string): Kind => ({ type: 'text', value });
const text = (maxLength: number): Kind => ({ ...ofText(values.text), maxLength });
const oneOf = (words: readonly string[]): Kind => ofText(values.oneOf(words));
const identifier = text(requestLimits.identifierChars);
const time: Kind = { type: 'timestamptz', value: values.time };
const bytes: Kind = { type: 'bigint', value: values.count };
const yesOrNo: Kind = { type: 'boolean', value: values.boolean };
const optional = (kind: Kind): Kind => ({ ...kind, isOptional: true });

const kinds: Record<(typeof requestFields.narrow)[number], Kind> = {
  phase: oneOf(['begun', 'completed']),
  requestId: { type: 'uuid', value: values.uuid },
  createdBy: identifier,
  model: identifier,
  endpoint: text(requestLimits.endpointChars),
  serviceTier: oneOf(serviceTiers),
  startedAt: time,
  completedAt: optional(time),
  statusCode: optional({ type: 'smallint', value: values.statusCode }),
  requestEncoding: oneOf(bodyEncodings),
  requestBytes: bytes,
  requestCut: yesOrNo,
  responseEncoding: optional(oneOf(bodyEncodings)),
  responseBytes: optional(bytes),
  responseCut: optional(yesOrNo),
  isStream: optional(yesOrNo),
  isIncomplete: optional(yesOrNo),
  apiKeyHash: optional(ofText(values.hexadecimal(64))),
  notes: optional(text(requestLimits.notesChars)),
  traceId: optional(ofText(values.traceContextId(32))),
  spanId: optional(ofText(values.traceContextId(16))),
  provider: optional(identifier),
  firstTokenAt: optional(time),
};

/** In the order of a record's canonical text. A beginning has none of those that tell of an end. */
export const narrowFields = requestFields.narrow.map((name) => ({
  ...{ name, isOptional: false, maxLength: Number.POSITIVE_INFINITY },
  ...kinds[name],
}));

/** Those that follow in a record's canonical text. */
export const wideFields = requestFields.wide.map((name) => ({ name, type: 'text' }));
