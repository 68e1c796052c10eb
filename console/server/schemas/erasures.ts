import { z } from 'zod';
import { subjectKinds } from '../../../shared/contracts/erasure-subject.ts';
import { text, time } from './common.ts';

export const erasureBody = z.strictObject({
  kind: z.enum(subjectKinds),
  id: text.describe('the id of the user or realm, as records carry it'),
  dryRun: z.boolean().default(false).describe('only count'),
  ownOnly: z.boolean().default(false).describe('leave other people’s records that mention the subject unchanged'),
});

const counts = z.object({
  executions: z.int(),
  requests: z.int(),
  deadLetters: z.int(),
  queuedRecords: z.int(),
  spilledRecords: z.int(),
});

const report = z
  .object({
    subject: z.enum(subjectKinds),
    erasedBefore: time,
    erased: counts,
    blanked: counts,
    names: z.int().describe('names of the subject, and those in which it is named'),
    left: z.object({
      heldJobs: z.int(),
      unreadableJobs: z.int(),
      unreadableSegments: z.int(),
      unreadableChunks: z.int(),
      unreadableDeadLetters: z.int(),
      livingSpills: z.int(),
      stuckRows: z.int(),
    }),
    isDone: z.boolean(),
  })
  .meta({ id: 'ErasureReport' });

export const erasure = z
  .object({
    state: z.enum(['none', 'running', 'ended', 'failed']),
    dryRun: z.boolean(),
    place: z.string().nullable(),
    pages: z.int(),
    totalPages: z.int(),
    report: report.nullable().describe('of the last erasure that ended'),
    problem: z.string().nullable(),
  })
  .meta({ id: 'Erasure' });
