import type { Database } from '../../shared/platform/postgres/database.ts';

const gamesPerStatement = 1_000;

/** Creates the records of running games, as the service that starts a game does. */
export async function registerGames(database: Database, gameIds: readonly string[]): Promise<void> {
  for (let start = 0; start < gameIds.length; start += gamesPerStatement) {
    const startedAt = new Date();
    await database.runtimeRecord.createMany({
      data: gameIds.slice(start, start + gamesPerStatement).map((gameId) => ({
        gameId,
        status: 'running',
        currentTurn: 1,
        currentImageRef: 'galaxy/engine:1.9.0',
        currentEngineVersion: '1.9.0',
        engineEndpoint: `http://${gameId}.engines.internal:8080`,
        turnSchedule: '0 */6 * * *',
        startedAt,
      })),
    });
  }
}
