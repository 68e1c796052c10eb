import { z } from 'zod';
import { parseDatabaseUrl } from './database-url.ts';
import { toError } from './errors.ts';
import { acceptedRedisUrls, isRedisUrl } from './redis-url.ts';

/** The text of one environment variable turned into a value; every schema here takes the raw string. */
const words: Record<string, boolean> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

/** `true`, `1`, `yes`, `on` or their opposites, in any case. */
export const flag = z.string().transform((text, context) => {
  const word = text.trim().toLowerCase();
  // Own words only: "constructor" is a property of every object.
  const value = Object.hasOwn(words, word) ? words[word] : undefined;
  if (value !== undefined) return value;
  context.addIssue({ code: 'custom', message: 'true or false (also 1/0, yes/no, on/off)' });
  return z.NEVER;
});

/** A decimal number within the bounds, both included. NaN, Infinity, hexadecimal and empty text are refused. */
export function number(bounds: { min: number; max: number; unit?: string }) {
  return decimal(bounds, `a number from ${bounds.min} to ${bounds.max}${unitOf(bounds)}`, () => true);
}

/** As `number`, whole numbers only. */
export function integer(bounds: { min: number; max: number; unit?: string }) {
  return decimal(bounds, `a whole number from ${bounds.min} to ${bounds.max}${unitOf(bounds)}`, Number.isSafeInteger);
}

function decimal(bounds: { min: number; max: number }, accepted: string, isFine: (value: number) => boolean) {
  return z.string().transform((text, context) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
    if (value >= bounds.min && value <= bounds.max && isFine(value)) return value;
    context.addIssue({ code: 'custom', message: accepted });
    return z.NEVER;
  });
}

function unitOf({ unit }: { unit?: string }): string {
  return unit ? ` (${unit})` : '';
}

/** The connection URL of a PostgreSQL. */
export const databaseUrl = z.string().superRefine((text, context) => {
  try {
    parseDatabaseUrl(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: toError(error).message });
  }
});

/** The connection URL of a Redis that a client can be made from. */
export const redisUrl = z.string().refine(isRedisUrl, { message: acceptedRedisUrls });

/** Text of a small alphabet. */
export function matching(pattern: RegExp, accepted: string) {
  return z.string().regex(pattern, { message: accepted });
}
