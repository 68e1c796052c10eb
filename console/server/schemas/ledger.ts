import { z } from 'zod';
import { inFlightPlaces } from '../../../queries/ledger/accounts.ts';
import { pieceStates } from '../../../queries/ledger/cut-gap.ts';
import { verdictStates } from '../../../queries/ledger/verdict.ts';
import { queueNames } from '../../../shared/contracts/queues.ts';
import { byName, count, text, time, windowFields } from './common.ts';

export const ledgerQuery = z.strictObject({
  ...windowFields,
  queue: z.enum(queueNames).optional(),
  producer: text.optional(),
  realmId: text.optional(),
  bucketSeconds: count(366 * 86_400)
    .optional()
    .describe('the bucket width of the series, whole minutes; at most 500 buckets. Chosen automatically by default'),
});

const queue = z.enum(queueNames);

/** Every field is a count of records. */
const lineFields = {
  recorded: z.number().describe('what services handed over, whatever became of it'),
  stored: z.number(),
  duplicate: z.number().describe('their row was there already, or belongs to somebody who was erased'),
  sampledOut: z.number(),
  disabled: z.number().describe('not kept because the producer is switched off'),
  dropped: z.number().describe('by the producer'),
  refused: z.number().describe('by Redis, for good'),
  dead: z.number().describe('dead letters'),
  handed: z.number().describe('accepted by a gateway, which counts them as its own; 0 in sums over producers'),
  inFlight: z.number(),
  uncertain: z.number().describe('last seen with a producer that ended without a word'),
  missing: z.number().describe('by the numbers of their chunks: Redis had them, and they are neither there nor stored'),
  unexplained: z.number().describe('a check, must be 0: `recorded` less all others'),
};

const line = z.object(lineFields).meta({ id: 'AccountLine', description: 'Counts of records' });

export const accounts = z
  .object({
    at: time,
    window: z.object({ since: time, until: time }).describe('whole minutes, by the clocks of the producers'),
    verdict: z.object({ state: z.enum(verdictStates), text: z.string() }),
    total: line,
    uncertainUpTo: z.number().describe('the most that may be lost with producers that ended without a word'),
    droppedBy: z.array(z.object({ reason: z.string(), records: z.number() })),
    inFlightBy: byName(inFlightPlaces, z.number()),
    producers: z.array(
      z
        .object({
          ...lineFields,
          queue,
          producer: z.string(),
          kind: z.string().nullable(),
          lives: z.int(),
          uncertainUpTo: z.number().describe('the most that it may have lost, if it ended without a word'),
          clockOffSeconds: z.number().nullable().describe('ahead of the database’s; null: by less than two minutes'),
        })
        .meta({ id: 'ProducerAccount' }),
    ),
    producersLeftOut: z.int(),
    realms: z.array(
      z
        .object({ ...lineFields, queue, realm: z.string().nullable().describe('*: not told apart') })
        .meta({ id: 'RealmAccount' }),
    ),
    realmsLeftOut: z.int(),
    series: z.object({
      bucketMs: z.number(),
      buckets: z.array(z.object({ since: time, until: time, ...lineFields }).meta({ id: 'AccountBucket' })),
    }),
    gaps: z
      .array(
        z
          .object({
            queue,
            producer: z.string(),
            life: z.string().describe('with a dot and the number of a chunk: the id of the chunk’s job'),
            state: z.enum(pieceStates),
            fromSeq: z.number(),
            untilSeq: z.number().describe('included'),
            records: z.number(),
            since: time.nullable(),
            until: time.nullable(),
          })
          .meta({ id: 'LedgerGap', description: 'Records that have not arrived, by the numbers of their chunks' }),
      )
      .describe('missing ones first'),
    gapsLeftOut: z.int(),
    silentLives: z.array(
      z
        .object({
          queue,
          producer: z.string(),
          life: z.string(),
          lastHeardAt: time,
          uncertain: z.number(),
          upTo: z.number(),
        })
        .meta({ id: 'SilentLife', description: 'It ended without a word: 0 to `upTo` records may be lost' }),
    ),
    silentLivesLeftOut: z.int(),
    livesLeftOut: z
      .int()
      .describe('lives that were not looked at: what of them has not arrived is in `total.unexplained` and in no list'),
    clocks: z.array(
      z.object({ queue, producer: z.string(), life: z.string(), offSeconds: z.number(), lastHeardAt: time }),
    ),
  })
  .meta({ id: 'Accounts', description: 'Of all that was recorded: where it is' });
