import { z } from 'zod';
import { uuidPattern } from './uuid.ts';

/** 9999-12-30T23:59:59.999Z: in every time zone this is a date of four digits. */
const latestMs = 253_402_214_399_999;

const acceptedTime = 'accepted: ISO 8601 with Z or an offset, or ms since 1970; of the years 1970 to 9999';

/** ISO 8601 with `Z` or an offset, such as Python's `datetime.now(timezone.utc).isoformat()`, or ms since 1970. */
export const inputTime = z.union(
  [
    z.iso.datetime({ offset: true, error: acceptedTime }).refine(isStorableTime, acceptedTime),
    z.number(acceptedTime).min(0, acceptedTime).max(latestMs, acceptedTime),
  ],
  acceptedTime,
);

function isStorableTime(text: string): boolean {
  const ms = Date.parse(text);
  return ms >= 0 && ms <= latestMs;
}

export const inputId = z.string().regex(uuidPattern, 'accepted: a UUID of versions 1 to 8');

/** The span that the record belongs to, as W3C Trace Context writes it, in either case. */
export const inputSpanFields = {
  traceId: z
    .string()
    .regex(/^(?!0{32})[0-9a-fA-F]{32}$/, 'accepted: 32 hexadecimal digits, not all 0')
    .nullish(),
  spanId: z
    .string()
    .regex(/^(?!0{16})[0-9a-fA-F]{16}$/, 'accepted: 16 hexadecimal digits, not all 0')
    .nullish(),
};
