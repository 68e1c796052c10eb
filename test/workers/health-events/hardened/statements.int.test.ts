import { expect, test } from 'vitest';
import { type JsonStatement, queryWithJson } from '../../../../shared/platform/postgres/database.ts';
import { commitStatement } from '../../../../workers/health-events/hardened/commit-statement.ts';
import { loadStatement } from '../../../../workers/health-events/hardened/load-statement.ts';
import { openDatabase } from '../../../support/health.ts';
import { aHealthPlace } from '../../../support/health-place.ts';

/** A database with some thousand games, and the tables of which a statement reads all rows. */
async function manyGames() {
  const { client, databaseUrl } = await aHealthPlace();
  await client.query(`
    insert into runtime_record (game_id, status) select 'game-' || n, 'running' from generate_series(1, 3000) n;
    insert into health_event_watermark (game_id, last_id, occurred_at_ms)
      select game_id, '1-0', 5 from runtime_record;
    analyze runtime_record, health_event_watermark`);
  const database = openDatabase(databaseUrl);
  return async ([before, after]: JsonStatement, parameter: unknown): Promise<string[]> => {
    const plan = await queryWithJson(database, [`explain ${before}`, after], JSON.stringify(parameter));
    return plan.flatMap(([line]) => /Seq Scan on (\w+)/.exec(String(line))?.[1] ?? []);
  };
}

test('for one game among thousands, no statement reads all of them', async () => {
  const readsAllOf = await manyGames();
  expect(await readsAllOf(loadStatement(1), ['game-1'])).toEqual([]);
  const commit = { label: 'a label', token: 1, games: [{ gameId: 'game-1' }], snapshots: [] };
  const read = await readsAllOf(commitStatement(1), commit);
  expect(read).not.toContain('runtime_record');
  expect(read).not.toContain('health_event_watermark');
});
