import { fieldOf } from '../../shared/contracts/health-event.ts';
import { offsetKey } from '../../shared/contracts/offset-key.ts';
import { compareStreamIds } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { startChild } from '../start-child.ts';
import type { Testbed } from '../testbed.ts';

export type HealthMode = Config['health']['mode'];

/** A worker process with streams of its own. */
export interface HealthWorker {
  mode: HealthMode;
  pid: number;
  stream: string;
  lobbyStream: string;
  /** Whether everything up to an entry has been applied, according to the worker's saved offset. */
  hasApplied(entryId: string): Promise<boolean>;
  /** The game of the last snapshot in the lobby; null before the first one. */
  lastPublishedGame(): Promise<string | null>;
  /** @throws Error if it has ended */
  check(): void;
}

const cliFile = new URL('../../cli/main.ts', import.meta.url);

/** Starts `sluice worker health-events`. Resolves when it is up. */
export async function startHealthWorker(
  testbed: Testbed,
  database: Database,
  { mode, name }: { mode: HealthMode; name: string },
): Promise<HealthWorker> {
  const stream = `bench:${name}:health`;
  const lobbyStream = `bench:${name}:lobby`;
  const { child } = await startChild(testbed, {
    name: `the worker ${name}`,
    file: cliFile,
    args: ['worker', 'health-events'],
    environment: {
      HEALTH_EVENTS_MODE: mode,
      SLUICE_HEALTH_STREAM: stream,
      SLUICE_HEALTH_LOBBY_STREAM: lobbyStream,
      SLUICE_HEALTH_LABEL: name,
      SLUICE_HEALTH_SERVICE: 'bench',
      SLUICE_WORKER_PORT: '0',
    },
  });
  const savedOffset = async (): Promise<string | null> =>
    mode === 'mirror'
      ? testbed.redis.get(offsetKey('bench', name))
      : ((await database.streamOffset.findUnique({ where: { label: name } }))?.lastId ?? null);
  return {
    mode,
    pid: child.pid ?? 0,
    stream,
    lobbyStream,
    async hasApplied(entryId) {
      const offset = await savedOffset();
      return offset !== null && compareStreamIds(offset, entryId) >= 0;
    },
    async lastPublishedGame() {
      const [last] = await testbed.redis.xrevrange(lobbyStream, '+', '-', 'COUNT', 1);
      return last === undefined ? null : (fieldOf(last[1], 'game_id') ?? null);
    },
    check() {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the worker ${name} has ended`);
    },
  };
}
