import { toError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { retry } from '../../shared/platform/retry.ts';

/** Prices of the demo's models, in USD for a million tokens: made up, and only for models that have none. */
const prices = [
  { model: 'gpt-5', input: 1.25, cachedInput: 0.125, output: 10 },
  { model: 'gpt-5-mini', input: 0.25, cachedInput: 0.025, output: 2 },
  { model: 'claude-opus-4-5', input: 5, cachedInput: 0.5, output: 25 },
  { model: 'gemini-2.5-flash', input: 0.3, cachedInput: 0.03, output: 2.5 },
  { model: 'text-embedding-3-small', input: 0.02, cachedInput: null, output: null },
];
const source = 'sluice demo, made up';
/** A server whose connections are all taken has one again soon. */
const triesAfterMs = [200, 1_000, 3_000];

/**
 * Gives the demo's models prices where the database has none for them. One of its models has none, as it happens.
 *
 * @param say told what kept it from doing so, such as a role without the right
 */
export async function storeDemoPrices(database: Database, say: (text: string) => void): Promise<void> {
  try {
    await retry(() => storePrices(database), {
      delayMs: (thrown, attempt) =>
        classifyDatabaseError(thrown).class === 'transient' ? (triesAfterMs[attempt] ?? null) : null,
    });
  } catch (error) {
    say(`the models of the demo have no prices: ${toError(error).message}`);
  }
}

function storePrices(database: Database): Promise<number> {
  return database.$executeRaw`
    insert into sluice.price (model, valid_from, currency, input, cached_input, output, source)
    select model, '2020-01-01T00:00:00Z', 'USD', input, "cachedInput", output, ${source}
    from json_to_recordset(${JSON.stringify(prices)}::json) as given (model text, input numeric, "cachedInput" numeric, output numeric)
    where not exists (
      select from sluice.price as known where known.model = given.model
        or (right(known.model, 1) = '*' and starts_with(given.model, left(known.model, -1))))
    on conflict do nothing`;
}
