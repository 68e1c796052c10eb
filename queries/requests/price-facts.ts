import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import type { ExecutionWindow } from '../executions/window.ts';

/** What is known of all prices before a request is read, so that requests of one price can be counted together. */
export interface PriceFacts {
  /** when any price changed within the window, in ms since 1970, in order */
  changesMs: number[];
  /** whether any price says nothing of a kind of tokens */
  lacksInput: boolean;
  lacksCached: boolean;
  lacksOutput: boolean;
}

export async function readPriceFacts(snapshot: Snapshot, { since, until }: ExecutionWindow): Promise<PriceFacts> {
  const [facts] = await snapshot.$queryRaw<[PriceFacts]>`
    select array(
        select (extract(epoch from at) * 1000)::float8
        from (select valid_from as at from sluice.price union select valid_until from sluice.price) as edges
        where at > ${since} and at < ${until} order by at
      ) as "changesMs", coalesce(bool_or(input is null), false) as "lacksInput",
      coalesce(bool_or(cached_input is null), false) as "lacksCached", coalesce(bool_or(output is null), false) as "lacksOutput"
    from sluice.price`;
  return facts;
}

/**
 * Which of a request's tokens are known, and of which kinds there are none, as far as a price says nothing of them. Requests that differ
 * in it may differ in whether they have a price, since a kind of which there is none needs no price.
 */
export function kindsOfTokens({ lacksInput, lacksCached, lacksOutput }: PriceFacts): Prisma.Sql {
  const kinds = [
    'input_tokens is null',
    'output_tokens is null',
    ...(lacksInput ? ['input_tokens = coalesce(cached_tokens, 0)'] : []),
    ...(lacksCached ? ['coalesce(cached_tokens, 0) = 0'] : []),
    ...(lacksOutput ? ['output_tokens = 0'] : []),
  ];
  return Prisma.raw(kinds.map((is, index) => `case when ${is} then ${2 ** index} else 0 end`).join(' + '));
}
