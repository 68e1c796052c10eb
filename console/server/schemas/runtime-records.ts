import { z } from 'zod';
import { runtimeStatuses } from '../../../shared/contracts/runtime-status.ts';
import { byName, limit, text, time } from './common.ts';

export const runtimeStatus = z.enum(runtimeStatuses);

export const runtimeRecordsQuery = z.strictObject({
  status: runtimeStatus.optional(),
  engineHealth: text.optional(),
  limit: limit(50),
  after: text.optional().describe('the id of the last game on the previous page'),
});
export const runtimeRecordQuery = z.strictObject({ gameId: text });

export const runtimeRecord = z
  .object({
    gameId: z.string(),
    status: runtimeStatus,
    engineHealth: z.string(),
    currentTurn: z.int(),
    currentImageRef: z.string(),
    currentEngineVersion: z.string(),
    engineEndpoint: z.string(),
    turnSchedule: z.string(),
    nextGenerationAt: time.nullable(),
    skipNextTick: z.boolean(),
    createdAt: time,
    updatedAt: time,
    startedAt: time.nullable(),
    stoppedAt: time.nullable(),
    finishedAt: time.nullable(),
    lastEvent: z.object({ id: z.string(), occurredAt: time }).nullable(),
  })
  .meta({ id: 'RuntimeRecord' });

export const runtimeRecordPage = z
  .object({
    records: z.array(runtimeRecord),
    after: z.string().nullable().describe('for the next page; null on the last page'),
  })
  .meta({ id: 'RuntimeRecordPage' });

export const healthEvents = z
  .object({
    mode: z.enum(['hardened', 'mirror']),
    label: z.string(),
    stream: z.string(),
    lease: z
      .object({
        holder: z.string(),
        token: z.number(),
        acquiredAt: time,
        expiresAt: time,
        isHeld: z.boolean(),
        heldForMs: z.number(),
        expiredForMs: z.number(),
      })
      .nullable(),
    lag: z.object({ entries: z.number().nullable(), ms: z.number() }).nullable(),
    games: byName(runtimeStatuses, z.number()),
    stuck: z.object({ records: z.number(), gameIds: z.array(z.string()) }),
    outbox: z.object({ rows: z.number(), oldestAgeMs: z.number().nullable() }),
    lobbyRival: z
      .object({
        state: z.enum(['publishes', 'refused']),
        label: z.string(),
        holder: z.string(),
        silentForMs: z.number(),
      })
      .nullable(),
    gap: z.object({
      entries: z.number(),
      noticedAt: time.nullable(),
      afterId: z.string().nullable(),
      beforeId: z.string().nullable(),
    }),
    deadLetters: z.number(),
  })
  .meta({ id: 'HealthEvents' });
