import { z } from 'zod';
import { spanIdPattern, traceIdPattern } from './span-context.ts';

/** The fields of a record that name its span. A chunk that has such a record is of version 2, see chunk.ts. */
export const spanContextFields = {
  traceId: z.string().regex(traceIdPattern, 'accepted: 32 hexadecimal digits, not all 0').nullish(),
  spanId: z.string().regex(spanIdPattern, 'accepted: 16 hexadecimal digits, not all 0').nullish(),
};
