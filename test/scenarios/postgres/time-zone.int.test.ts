import { expect, onTestFinished, test } from 'vitest';
import { listExecutions } from '../../../queries/executions/list.ts';
import { readStrategy } from '../../../queries/executions/strategy.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { connect, createTestDatabase } from '../../support/fixtures.ts';
import { insertRuns } from '../../support/run-rows.ts';

// initdb takes the zone of its machine: most databases have another one than those of the tests.
test.each([
  ['Asia/Kolkata', 'German'],
  ['America/St_Johns', 'SQL, DMY'],
])('a database in %s with dates as %s is asked and read as any other', async (zone, dates) => {
  const url = await createTestDatabase();
  const admin = await connect(url);
  const name = new URL(url).pathname.slice(1);
  await admin.query(`alter database "${name}" set timezone = '${zone}'`);
  await admin.query(`alter database "${name}" set datestyle = '${dates}'`);
  const at = '2026-03-01T12:00:00.000Z';
  await insertRuns(admin, [{ at }]);
  const database = createDatabase(loadConfig({ DATABASE_URL: `${url}?options=-c%20geqo%3Doff` }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const window = { since: new Date('2026-03-01T11:00:00Z'), until: new Date('2026-03-01T13:00:00Z') };
  const { executions } = await listExecutions(database, { strategyId: null, window });
  expect(executions.map(({ recordedAt }) => recordedAt.toISOString())).toEqual([at]);
  const { summary, series } = await readStrategy(database, { strategyId: 's1', window });
  expect(summary.total.rows).toBe(1);
  expect(series.buckets.filter(({ statuses }) => statuses.ok.rows === 1).length).toBe(1);
  const [settings] = await database.$queryRaw<{ geqo: string }[]>`select current_setting('geqo') as geqo`;
  expect(settings?.geqo).toBe('off');
});
