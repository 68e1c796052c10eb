import { acceptedNatMap, acceptedRedisNodes, parseNatMap, parseRedisNodes } from '../redis/redis-nodes.ts';
import { acceptedRedisUrls, isRedisUrl } from '../redis/redis-url.ts';

/** What comes of a text: its value, or what would have been accepted, in words that name no value. */
export type Reading<T> = { value: T } | { accepted: string };

/** One environment variable. @param text undefined: it is not set */
export interface Variable<T> {
  read(text: string | undefined): Reading<T>;
}

/** The text of one environment variable turned into a value. */
export interface Reader<T> {
  read(text: string): Reading<T>;
  /** The variable, with what it is when it is not set. */
  default(value: T): Variable<T>;
  optional(): Variable<T | undefined>;
}

export function reader<T>(read: (text: string) => Reading<T>): Reader<T> {
  const withDefault = <D>(fallback: D): Variable<T | D> => ({
    read: (text) => (text === undefined ? { value: fallback } : read(text)),
  });
  return { read, default: (value) => withDefault(value), optional: () => withDefault(undefined) };
}

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
export const flag: Reader<boolean> = reader((text) => {
  const word = text.trim().toLowerCase();
  // Own words only: "constructor" is a property of every object.
  const value = Object.hasOwn(words, word) ? words[word] : undefined;
  return value === undefined ? { accepted: 'true or false (also 1/0, yes/no, on/off)' } : { value };
});

/** A decimal number within the bounds, both included. NaN, Infinity, hexadecimal and empty text are refused. */
export function number(bounds: { min: number; max: number; unit?: string }): Reader<number> {
  return decimal(bounds, `a number from ${bounds.min} to ${bounds.max}${unitOf(bounds)}`, () => true);
}

/** As `number`, whole numbers only. */
export function integer(bounds: { min: number; max: number; unit?: string }): Reader<number> {
  return decimal(bounds, `a whole number from ${bounds.min} to ${bounds.max}${unitOf(bounds)}`, Number.isSafeInteger);
}

/** A time of whole milliseconds. */
export function milliseconds(min: number, max: number): Reader<number> {
  return integer({ min, max, unit: 'milliseconds' });
}

function decimal(
  bounds: { min: number; max: number },
  accepted: string,
  isFine: (value: number) => boolean,
): Reader<number> {
  return reader((text) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
    return value >= bounds.min && value <= bounds.max && isFine(value) ? { value } : { accepted };
  });
}

function unitOf({ unit }: { unit?: string }): string {
  return unit ? ` (${unit})` : '';
}

/** The connection URL of a Redis that a client can be made from. */
export const redisUrl: Reader<string> = reader((value) =>
  isRedisUrl(value) ? { value } : { accepted: acceptedRedisUrls },
);

/** A list of servers, which stays a text. */
export const redisNodes: Reader<string> = reader((value) =>
  parseRedisNodes(value) === null ? { accepted: acceptedRedisNodes } : { value },
);

/** A NAT map of a Redis Cluster, which stays a text. */
export const redisNatMap: Reader<string> = reader((value) =>
  parseNatMap(value) === null ? { accepted: acceptedNatMap } : { value },
);

/** Text of a small alphabet. */
export function matching(pattern: RegExp, accepted: string): Reader<string> {
  return reader((value) => (pattern.test(value) ? { value } : { accepted }));
}

/** Any text. @param minChars in UTF-16 units. @default 0 */
export function text(minChars = 0): Reader<string> {
  return reader((value) => (value.length >= minChars ? { value } : { accepted: `at least ${minChars} characters` }));
}

/** A host to listen on. An IPv6 address may have the brackets that it has in URLs. */
export const host: Reader<string> = reader((value) => ({ value: value.replace(/^\[([\da-f:.]+)\]$/i, '$1') }));

/** One of a few words, written exactly so. */
export function oneOf<const T extends readonly string[]>(choices: T): Reader<T[number]> {
  return reader((value) =>
    choices.includes(value) ? { value: value as T[number] } : { accepted: `one of ${choices.join(', ')}` },
  );
}
