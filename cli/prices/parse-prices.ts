import { z } from 'zod';
import type { Price } from '../../queries/requests/list-prices.ts';
import { readCsvRecords } from '../../shared/platform/csv-records.ts';
import { UsageError } from '../../shared/platform/errors.ts';

const mostPrices = 100_000;
const problemsTold = 10;

/** An empty field is none. */
const optional = <T extends z.ZodType>(field: T) =>
  z.preprocess((value) => (value === '' || value === undefined ? null : value), field.nullable());

const storable = (chars: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(chars, `must have at most ${chars} characters`)
    .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), 'must not have control characters');

const acceptedTime = 'accepted: a day, such as 2026-01-31, which begins at 00:00 UTC, or ISO 8601 with Z or an offset';
const time = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], acceptedTime)
  .transform((text) => new Date(text))
  .refine((at) => at.getTime() >= 0, acceptedTime);

const acceptedAmount =
  'accepted: an amount for a million tokens, with up to 10 digits before and after the point, such as 0.15';
const amount = z
  .union([z.string(), z.number()], acceptedAmount)
  .transform(String)
  .pipe(
    z
      .string()
      .trim()
      .regex(/^\d{1,10}(?:\.\d{1,10})?$/, acceptedAmount),
  );

const entry = z
  .strictObject({
    provider: optional(storable(512)),
    model: storable(512).refine((text) => !text.slice(0, -1).includes('*'), 'may have a * only at its end'),
    valid_from: time,
    valid_until: optional(time),
    currency: z.string().regex(/^[A-Z]{3}$/, 'accepted: a code of ISO 4217, such as USD'),
    input: optional(amount),
    cached_input: optional(amount),
    output: optional(amount),
    source: storable(200),
  })
  .partial({ provider: true, valid_until: true, input: true, cached_input: true, output: true })
  .refine(({ valid_from: from, valid_until: until }) => until == null || until > from, {
    path: ['valid_until'],
    message: 'must be after valid_from',
  })
  .refine(({ input, cached_input: cached, output }) => input != null || cached != null || output != null, {
    path: ['input'],
    message: 'no amount is given: one of input, cached_input and output is needed',
  });

const columns = Object.keys(entry.shape);
const required = ['model', 'valid_from', 'currency', 'source'];

interface Entry {
  /** for messages, such as `line 3` */
  where: string;
  /** a text: why there are none */
  fields: unknown;
}

/**
 * Reads prices from a file: JSON, a list of objects; or CSV, whose first line has the names of the columns.
 *
 * @throws UsageError that tells the first ten problems, each with its place; nothing of the file is to be used then
 */
export function parsePrices(text: string): Price[] {
  const content = text.replace(/^\uFEFF/, '');
  const entries = /^\s*[[{]/.test(content) ? readJson(content) : readCsv(content);
  if (entries.length === 0) throw new UsageError('the file has no prices');
  if (entries.length > mostPrices)
    throw new UsageError(`${entries.length} prices are too many: a file has at most ${mostPrices}`);
  const prices = new Map<string, { price: Price; where: string }>();
  const problems: string[] = [];
  for (const { where, fields } of entries) {
    const problem = typeof fields === 'string' ? fields : add(prices, where, fields);
    if (problem !== null) problems.push(`${where}: ${problem}`);
    if (problems.length === problemsTold) break;
  }
  if (problems.length > 0) throw new UsageError(`the prices cannot be read:\n  ${problems.join('\n  ')}`);
  return [...prices.values()].map(({ price }) => price);
}

/** @returns what is wrong with it; null: nothing is */
function add(prices: Map<string, { price: Price; where: string }>, where: string, fields: unknown): string | null {
  const parsed = entry.safeParse(fields);
  if (!parsed.success) return parsed.error.issues.map(toProblem).join('; ');
  const { valid_from: validFrom, valid_until: validUntil, cached_input: cachedInput, ...rest } = parsed.data;
  const price: Price = {
    ...rest,
    provider: rest.provider ?? null,
    validFrom,
    validUntil: validUntil ?? null,
    input: rest.input ?? null,
    cachedInput: cachedInput ?? null,
    output: rest.output ?? null,
  };
  const key = keyOfPrice(price);
  const before = prices.get(key);
  if (before !== undefined)
    return `${before.where} has a price of the same source, provider and model from the same time on`;
  prices.set(key, { price, where });
  return null;
}

/** What identifies a price: an import replaces the one that is the same in these. */
function keyOfPrice({ source, provider, model, validFrom }: Price): string {
  return JSON.stringify([source, provider, model, validFrom.toISOString()]);
}

function toProblem({ path, message }: { path: PropertyKey[]; message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

function readJson(text: string): Entry[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new UsageError('the file begins like JSON, but is none');
  }
  if (!Array.isArray(content)) throw new UsageError(`JSON must be a list of objects with ${columns.join(', ')}`);
  return content.map((fields, index) => ({
    where: `entry ${index + 1}`,
    fields: typeof fields === 'string' ? 'it is no object' : fields,
  }));
}

function readCsv(text: string): Entry[] {
  const [head, ...records] = readCsvRecords(text);
  if (head === undefined) return [];
  const names = head.fields.map((name) => name.trim());
  const [unknown] = names.filter((name) => !columns.includes(name));
  const [missing] = required.filter((name) => !names.includes(name));
  const isTwice = new Set(names).size < names.length;
  if (unknown !== undefined || missing !== undefined || isTwice) {
    const what = unknown !== undefined ? `it has ${unknown}` : isTwice ? 'it has one twice' : `${missing} is missing`;
    throw new UsageError(`the first line must name the columns, each once, of: ${columns.join(', ')}; ${what}`);
  }
  return records.map(({ line, fields }) => ({
    where: `line ${line}`,
    fields:
      fields.length === names.length
        ? Object.fromEntries(names.map((name, at) => [name, fields[at]]))
        : `it has ${fields.length} fields, and the first line has ${names.length}`,
  }));
}
