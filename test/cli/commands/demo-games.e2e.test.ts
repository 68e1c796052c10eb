import { expect, inject, test } from 'vitest';
import { connect, createDirectory, createNamespace, createTestDatabase } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { connectRedis, createHealthKeys, lobbyView } from '../../support/health.ts';

async function givenServers() {
  const keys = createHealthKeys();
  return {
    keys,
    environment: {
      DATABASE_URL: await createTestDatabase(),
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: createNamespace(),
      SLUICE_HEALTH_GRACE_MS: '1000',
      ...keys.environment,
    },
  };
}
const small = ['--executions', '500', '--rate', '500', '--requests', '0', '--exit', '--json'];

test('demo: games end as their events leave them, the lobby is told, and what is no event is a dead letter', async () => {
  const { keys, environment } = await givenServers();
  const demo = await startSluice(['demo', '--games', '60', ...small], environment, await createDirectory());
  expect(await demo.ended).toBe(0);
  const { games, ...result } = JSON.parse(demo.stdout.at(-1) ?? '');
  expect(result).toMatchObject({ sent: 500, requests: null, reconciled: true });
  expect(games).toMatchObject({ games: 60, dead: 4, wrong: 0, unpublished: 0, unaccounted: 0, reconciled: true });
  expect(games.sent).toBe(games.events + games.dead);
  expect(games.running + games.unreachable).toBe(60);
  expect(demo.stderr.join('\n')).toMatch(/games: sent \d+ = health events \d+ \+ dead 4; 60 games: running \d+/);

  const redis = connectRedis();
  expect(await redis.xlen(keys.stream)).toBe(games.sent);
  expect(await redis.xlen(keys.lobbyStream)).toBe(games.snapshots);
  const client = await connect(environment.DATABASE_URL);
  const { rows } = await client.query('select game_id, status, engine_health from runtime_record');
  const lobby = await lobbyView(redis, keys.lobbyStream);
  expect(rows).toHaveLength(60);
  for (const { game_id, status, engine_health } of rows)
    expect(lobby[game_id]).toMatchObject({ runtime_status: status, engine_health_summary: engine_health });
  const deadLetters = await client.query('select queue from dead_letter');
  expect(deadLetters.rows).toEqual(Array(4).fill({ queue: keys.stream }));
});

test('demo: games that are stored otherwise than their events say are found, and the exit code says so', async () => {
  const { environment } = await givenServers();
  const client = await connect(environment.DATABASE_URL);
  // As if the worker had written something else: two of twenty games get a health that no event says.
  await client.query(`
    create function spoil() returns trigger language plpgsql as $$
    begin new.engine_health := 'spoilt'; return new; end $$;
    create trigger spoil before update on runtime_record for each row
    when (new.game_id like '%3') execute function spoil()`);
  const demo = await startSluice(['demo', '--games', '20', ...small], environment, await createDirectory());
  expect(await demo.ended).toBe(1);
  const { games, reconciled } = JSON.parse(demo.stdout.at(-1) ?? '');
  expect(games).toMatchObject({ games: 20, wrong: 2, reconciled: false });
  expect(reconciled).toBe(false);
  expect(demo.stderr.join('\n')).toContain('2 games do not match their events');
});
