import { z } from 'zod';
import { spanIdPattern, traceIdPattern } from './span-context.ts';

/** The fields of a record that name its span. A chunk that has such a record is of version 2, see chunk.ts. */
export const spanContextFields = {
  traceId: z
    .string()
    .regex(traceIdPattern, 'accepted: 32 hexadecimal digits, not all 0')
    .nullish()
    .describe('The trace of W3C Trace Context that it belongs to. A chunk with such a record has version 2.'),
  spanId: z
    .string()
    .regex(spanIdPattern, 'accepted: 16 hexadecimal digits, not all 0')
    .nullish()
    .describe('The span within `traceId`.'),
};
