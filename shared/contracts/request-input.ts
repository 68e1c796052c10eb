import { z } from 'zod';
import { bodyEncodings, requestLimits, serviceTiers } from './completed-request.ts';
import { inputId, inputSpanFields, inputTime } from './input-fields.ts';

const flag = z.boolean().nullish();

/** A body: text as it was sent, or JSON, which is stored as its text. */
const body = z.unknown().optional();

/** `base64`: the body is the base64 of bytes that are not text. @default 'utf8' */
const encoding = z.enum(bodyEncodings).nullish();

const begun = {
  /** the same one to begin and to end a request, and in a repetition. @default derived or made by the gateway */
  requestId: inputId.nullish(),
  /** the person or organisation that the request belongs to; spaces around it are taken off */
  createdBy: z
    .string()
    .max(requestLimits.identifierChars)
    .regex(/\S/, 'must not be blank')
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'must not contain a NUL or a lone surrogate'),
  model: z.string(),
  /** the path of the API, such as /v1/responses */
  endpoint: z.string(),
  /** @default 'priority' */
  serviceTier: z.enum(serviceTiers).nullish(),
  startedAt: inputTime,
  /** @default '' */
  requestBody: body,
  requestEncoding: encoding,
  /** the caller's key: hashed at once with SLUICE_API_KEY_PEPPER of the gateway, never stored. Without a pepper it leaves no trace */
  apiKey: z.string().max(65_536).nullish(),
  /** the hash, if you compute it yourself; `apiKey` takes precedence */
  apiKeyHash: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'accepted: 64 hexadecimal digits')
    .nullish(),
  /** what the sender has changed to make the record fit; the gateway adds its own */
  notes: z.string().max(requestLimits.notesChars).nullish(),
  ...inputSpanFields,
  /** who serves the model, such as `openai`. @default what the bodies say beyond doubt */
  provider: z.string().nullish(),
};

/** A request that still runs, as a service sends it to the gateway to begin it. Null counts as absent. */
export const begunRequestInputSchema = z.strictObject(begun);

/**
 * A request that has ended, as a service sends it to the gateway. Null counts as absent. A text that is too long for its column
 * is cut, and what PostgreSQL cannot store (NUL, lone surrogates) is replaced: `notes` of the row says so.
 */
export const requestInputSchema = z.strictObject({
  ...begun,
  /** of HTTP; 2xx ends the request as completed, any other as failed */
  statusCode: z.int().min(100).max(599),
  /** @default the time of the arrival */
  completedAt: inputTime.nullish(),
  /** @default '' */
  responseBody: body,
  responseEncoding: encoding,
  /** the body is a stream of server-sent events, as they arrived. @default false */
  isStream: flag,
  /** the caller disconnected, or the stream was interrupted, before the end. @default false */
  isIncomplete: flag,
  /** when the first token of the answer arrived */
  firstTokenAt: inputTime.nullish(),
});

export type BegunRequestInput = z.infer<typeof begunRequestInputSchema>;
export type RequestInput = z.infer<typeof requestInputSchema>;
