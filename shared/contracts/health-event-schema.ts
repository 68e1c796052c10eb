import { z } from 'zod';
import { healthEventTypes, notBlankPattern } from './health-event.ts';

/**
 * A health event as it is published for those who write it: the fields of an entry of the stream. Readers take more than this, see
 * readHealthEvent: a time with a sign or leading zeros, for example.
 */
export const healthEventSchema = z.looseObject({
  game_id: z
    .string()
    .regex(notBlankPattern, 'must not be blank')
    .describe('The game whose container was observed. It is not trimmed.'),
  event_type: z.enum(healthEventTypes).describe('What happened to the container.'),
  occurred_at_ms: z
    .string()
    .regex(/^[1-9][0-9]{0,17}$/, 'accepted: a whole number above 0')
    .describe("When it was observed, by the producer's clock: milliseconds since 1970 in UTC, in decimal digits."),
  container_id: z
    .string()
    .optional()
    .describe('The container, so that the end of an earlier one is not taken for that of a later one.'),
});
