import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { aRequestStore } from '../../support/requests.ts';
import { createRunner } from '../../support/run-sluice.ts';

const defaultPrices = resolve('cli/prices/default.csv');

test('prices: a file is imported and listed; a wrong one changes nothing and says where it is wrong', async () => {
  const { databaseUrl, client } = await aRequestStore();
  const run = createRunner({ DATABASE_URL: databaseUrl });
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-')), 'prices.csv');
  expect((await run('prices', 'list')).stdout).toBe('no prices');
  const first = await run('prices', 'import', defaultPrices);
  expect(first.stderr).toBe('');
  expect(first.stdout).toMatch(/^\d+ added, 0 changed, 0 unchanged, 0 removed$/);
  expect((await run('prices', 'import', defaultPrices, '--json')).json()).toMatchObject({
    added: 0,
    changed: 0,
  });
  const { rows } = await client.query('select count(*)::int as n from price');

  await writeFile(
    file,
    'model,valid_from,currency,input,source\ngpt-4o-mini,2026-01-01,USD,0.2,mine\nx,never,USD,1,mine\n',
  );
  const wrong = await run('prices', 'import', file);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toContain('line 3: valid_from: accepted: a day');
  expect((await client.query('select count(*)::int as n from price')).rows).toEqual(rows);

  await writeFile(file, 'model,valid_from,currency,input,source\ngpt-4o-mini,2026-01-01,USD,0.2,mine\n');
  expect((await run('prices', 'import', file)).exitCode).toBe(0);
  const listed = await run('prices', 'list', '--model', 'gpt-4o-mini');
  expect(listed.stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
    ['model', 'provider', 'from', 'until', 'input'],
    ['gpt-4o-mini', 'any', '2026-01-01', '–', '0.2'],
    ['gpt-4o-mini', 'any', '2024-10-02', '–', '0.15'],
  ]);
  expect((await run('prices', 'import', '/nowhere.csv')).stderr).toContain('/nowhere.csv is not a readable file');
});
