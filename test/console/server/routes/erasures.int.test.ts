import { expect, test } from 'vitest';
import { aConsole, allTokens, operatorToken, readToken } from '../../../support/a-console.ts';
import { until } from '../../../support/fixtures.ts';
import { insertExecution } from '../../../support/rows.ts';

test('erasures: one is begun, and told of without the id; nothing in the log has it', async () => {
  const { ask, get, client, log } = await aConsole(allTokens);
  for (const user of ['gone-1', 'stays']) {
    await insertExecution(client, new Date(Date.now() - 1_000));
    await client.query('update strategy_execution_log set external_user_id = $1 where external_user_id is null', [
      user,
    ]);
  }
  const body = { kind: 'user', id: 'gone-1' };
  expect((await ask('POST', '/api/v1/erasures', { token: readToken, body })).status).toBe(403);
  expect((await ask('POST', '/api/v1/erasures', { token: operatorToken, body: { kind: 'user' } })).status).toBe(400);
  expect((await get('/api/v1/erasures', operatorToken)).body).toMatchObject({ state: 'none', report: null });

  const dry = await ask('POST', '/api/v1/erasures', { token: operatorToken, body: { ...body, dryRun: true } });
  expect(dry).toMatchObject({ status: 202, body: { state: 'running', dryRun: true } });
  const ended = async () => {
    const answer = await get('/api/v1/erasures', operatorToken);
    return answer.body.state === 'ended' && answer;
  };
  expect((await until(ended)).body).toMatchObject({ report: { erased: { executions: 1 } } });
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(2);

  await client.query('begin; lock table subject_erasure in access exclusive mode');
  const begun = await ask('POST', '/api/v1/erasures', { token: operatorToken, body });
  expect(begun.status).toBe(202);
  expect((await ask('POST', '/api/v1/erasures', { token: operatorToken, body })).status).toBe(409);
  await client.query('rollback');
  const answer = await until(ended);
  expect(answer.body).toMatchObject({ report: { subject: 'user', erased: { executions: 1 }, isDone: true } });
  expect((await client.query('select external_user_id from strategy_execution_log')).rows).toEqual([
    { external_user_id: 'stays' },
  ]);
  expect(JSON.stringify([answer.text, begun.text, log])).not.toContain('gone-1');
});

test('erasures: when Redis is away it says so, and nothing is half noted as done', async () => {
  const { ask, get } = await aConsole({ REDIS_URL: 'redis://127.0.0.1:1' });
  expect((await ask('POST', '/api/v1/erasures', { body: { kind: 'realm', id: 'r' } })).status).toBe(202);
  const failed = await until(async () => {
    const { body } = await get('/api/v1/erasures');
    return body.state === 'failed' && body;
  });
  expect(failed).toMatchObject({ report: null, problem: expect.stringContaining('start the erasure again') });
});
