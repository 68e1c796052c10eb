import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type MigrationTarget, withSession } from './migration-session.ts';

const firstLookMs = 1_000;
const maxLookMs = 10_000;
const answerWithinMs = 5_000;

interface Blocker {
  pid: number;
  application: string | null;
  /** null when the role may not see it */
  seconds: number | null;
}

/** Who keeps a backend from a lock, for a person; null when nobody does. No text of a query is shown: it may hold values. */
async function findBlockers(target: MigrationTarget, pid: number): Promise<string | null> {
  const impatient = { ...target, queryTimeoutMs: answerWithinMs };
  const blockers = await withSession(impatient, async (client) => {
    const { rows } = await client.query<Blocker>({
      text: `select blocker.pid, nullif(a.application_name, '') as application,
          round(extract(epoch from clock_timestamp() - a.xact_start))::int as seconds
        from (select distinct unnest(pg_blocking_pids($1)) as pid) as blocker left join pg_stat_activity a using (pid)
        order by a.xact_start, blocker.pid limit 3`,
      values: [pid],
    });
    return rows;
  });
  return blockers.length === 0 ? null : blockers.map(describe).join(' and ');
}

function describe({ pid, application, seconds }: Blocker): string {
  if (pid === 0) return 'a prepared transaction (pg_prepared_xacts)';
  const facts = [application, seconds === null ? null : `in a transaction for ${seconds} s`];
  return `process ${pid} (${facts.filter((fact) => fact !== null).join(', ') || 'owned by another user'})`;
}

/**
 * Does `work`, and tells now and then who keeps it from a lock. It looks on connections of its own.
 *
 * @param work is given what names the connection that is to be looked at
 */
export async function withWatch<T>(
  target: MigrationTarget,
  onBlocked: (blockers: string) => void,
  work: (watch: (client: pg.ClientBase) => Promise<void>) => Promise<T>,
): Promise<T> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const watching: Promise<void>[] = [];
  const look = async (pid: number): Promise<never> => {
    for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 2, maxLookMs)) {
      await sleep(waitMs, null, { signal });
      const found = await findBlockers(target, pid);
      if (found !== null && !signal.aborted) onBlocked(found);
    }
  };
  try {
    return await work(async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      // It is for a person only: when it cannot look, the work goes on.
      watching.push(look(rows[0]?.pid ?? 0).catch(() => undefined));
    });
  } finally {
    stopping.abort();
    await Promise.all(watching);
  }
}
