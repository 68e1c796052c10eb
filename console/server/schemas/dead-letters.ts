import { z } from 'zod';
import { deadLetterStates, replayableStates } from '../../../dead-letters/read.ts';
import { nameKinds } from '../../../names/display-name.ts';
import { cursor, limit, text, time } from './common.ts';

const state = z.enum(deadLetterStates);
const filterFields = { queue: text.optional(), signature: text.max(2_000).optional(), state: state.optional() };

export const deadLettersQuery = z.strictObject({ ...filterFields, limit: limit(50), cursor: cursor.optional() });
export const deadLetterCausesQuery = z.strictObject({ ...filterFields, limit: limit(50) });
export const deadLetterParams = z.object({ id: z.guid() });

/** A mistyped field must not select every dead letter. */
const selectionFields = {
  ids: z.array(z.guid()).min(1).max(1_000).optional(),
  signature: text.max(2_000).optional(),
  queue: text.optional(),
  all: z.literal(true).optional().describe('every dead letter'),
};
const saysWhich = (selection: { ids?: unknown; signature?: unknown; queue?: unknown; all?: unknown }): boolean =>
  [selection.ids, selection.signature, selection.queue, selection.all].some((part) => part !== undefined);
const whichMessage = { message: 'say which dead letters: ids, signature, queue or all' };

export const replayBody = z
  .strictObject({
    ...selectionFields,
    state: z.enum(replayableStates).default('open'),
    repairs: z.array(z.string().max(200)).max(10).default([]).describe('strip-nul, drop:FIELD, truncate:FIELD:CHARS'),
    limit: z.int().min(1).max(1_000).default(1_000).describe('maximum number of dead letters; repeat for more'),
  })
  .refine(saysWhich, whichMessage);
export const discardBody = z.strictObject(selectionFields).refine(saysWhich, whichMessage);

const deadLetterFields = {
  id: z.string(),
  queue: z.string(),
  state,
  stateSince: time,
  code: z.string(),
  reason: z.string(),
  signature: z.string(),
  producer: z.string().nullable(),
  jobId: z.string().nullable(),
  firstSeen: time,
  lastSeen: time,
  attempts: z.int(),
  replays: z.int(),
};

export const deadLetterPage = z
  .object({
    deadLetters: z.array(
      z
        .object({ ...deadLetterFields, payloadChars: z.int(), holdsRecord: z.boolean() })
        .meta({ id: 'DeadLetterSummary' }),
    ),
    cursor: z.string().nullable(),
  })
  .meta({ id: 'DeadLetterPage' });

export const deadLetterCauses = z
  .object({
    causes: z.array(
      z
        .object({
          queue: z.string(),
          code: z.string(),
          signature: z.string(),
          state,
          deadLetters: z.int(),
          firstSeen: time,
          lastSeen: time,
          exampleId: z.string(),
          exampleReason: z.string(),
        })
        .meta({ id: 'DeadLetterCause' }),
    ),
  })
  .meta({ id: 'DeadLetterCauses' });

export const deadLetter = z
  .object({
    ...deadLetterFields,
    recordKey: z.string(),
    contractVersion: z.int().nullable().describe('null: it holds no record and cannot be replayed'),
    payload: z.string().describe('the record’s JSON as first received'),
    subject: z
      .object({ kind: z.enum(nameKinds), id: z.string(), name: z.string().nullable() })
      .nullable()
      .describe('whose record it is, as far as the payload says so, and what people call it'),
  })
  .meta({ id: 'DeadLetter' });

export const replayAnswer = z
  .object({ replayed: z.int(), skipped: z.array(z.string()).describe('dead letters that hold no record') })
  .meta({ id: 'ReplayAnswer' });
export const discardAnswer = z.object({ discarded: z.int() }).meta({ id: 'DiscardAnswer' });
