import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, createDirectory, createTestDatabase } from '../../support/fixtures.ts';
import { aCompletion, aRequestStore } from '../../support/requests.ts';
import { createRunner } from '../../support/run-sluice.ts';
import { insertRun } from '../../support/seed-console.ts';

test('names: a file is imported, again, and replaced; a wrong one changes nothing', async () => {
  const databaseUrl = await createTestDatabase();
  const run = createRunner({ DATABASE_URL: databaseUrl });
  const directory = await createDirectory();
  const use = async (text: string | Buffer, ...flags: string[]) => {
    const file = join(directory, randomUUID());
    await writeFile(file, text);
    return run('names', 'import', file, ...flags);
  };
  const first = await use('kind,id,name\nstrategy,bonus,Weekly \u202ebonus\ncreator,c-1,Ada\n');
  expect(first).toMatchObject({ exitCode: 0, stdout: '2 added, 0 changed, 0 unchanged, 0 removed' });
  const second = '[{"kind":"strategy","id":"other","name":"<b>x</b>"}]';
  const [replaced, wrong, notText, missing] = await Promise.all([
    use(second, '--replace', '--json'),
    use('kind,id,name\nstrategy,bonus,Again\nstrategy,x,a\u001b[2Jb'),
    use(Buffer.from([0xff, 0xfe, 0x41])),
    run('names', 'import', join(directory, 'missing')),
  ]);
  expect(replaced.json()).toEqual({ added: 1, changed: 0, unchanged: 0, removed: 1, erased: 0 });
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/line 3: name has a control character/);
  expect(notText.stderr).toMatch(/is not in UTF-8/);
  expect(missing.stderr).toMatch(/is not a readable file/);
  const [list, creators] = await Promise.all([
    run('names', 'list'),
    run('names', 'list', '--kind', 'creator', '--json'),
  ]);
  expect(list.stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['kind', 'id', 'name'],
    ['creator', 'c-1', 'Ada'],
    ['strategy', 'other', '<b>x</b>'],
  ]);
  expect(creators.json()).toMatchObject({ names: [{ kind: 'creator', id: 'c-1', name: 'Ada' }], cursor: null });
});

test('names: executions and requests are shown with them, and nothing of them reaches the terminal raw', async () => {
  const { databaseUrl, store } = await aRequestStore();
  const completion = aCompletion({ createdBy: 'c-1' });
  await store([completion]);
  const client = await connect(databaseUrl);
  const id = await insertRun(client);
  await insertRun(client, { strategy_id: 'plain' });
  const run = createRunner({ DATABASE_URL: databaseUrl });
  const plain = await run('executions', 'list');
  expect(plain.stdout).not.toMatch(/ name /);
  await client.query(
    `insert into display_name (kind, id, name) values ('strategy', 'bonus', $1), ('creator', 'c-1', 'Ada')`,
    ['Weekly\u001b[2J bonus'],
  );
  const said = 'Weekly\\x1b[2J bonus';
  const outputs = await Promise.all([
    run('executions', 'list'),
    run('executions', 'show', id),
    run('executions', 'stats', 'bonus'),
    run('executions', 'compare', 'bonus', 'plain'),
  ]);
  for (const { exitCode, stdout } of outputs) {
    expect([exitCode, stdout.includes(said), stdout.includes('\u001b')]).toEqual([0, true, false]);
  }
  const [json, requests, request] = await Promise.all([
    run('executions', 'list', '--json'),
    run('requests', 'list'),
    run('requests', 'show', completion.requestId),
  ]);
  expect(json.json()).toMatchObject({
    executions: expect.arrayContaining([
      expect.objectContaining({ strategyId: 'bonus', strategyName: 'Weekly\u001b[2J bonus' }),
      expect.objectContaining({ strategyId: 'plain', strategyName: null }),
    ]),
  });
  expect(requests.stdout).toMatch(/ c-1 .* Ada/);
  expect(request.stdout).toMatch(/^creator {5}c-1 \(Ada\)$/m);
});
