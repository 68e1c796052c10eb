import { compareStreamIds } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { Timeline } from '../executions/demo-events.ts';
import { inTime } from '../pacing.ts';
import { closeTimeoutMs, type Traffic } from '../traffic.ts';
import type { GameEntry, GameState } from './game-events.ts';
import { createGameInspector } from './inspect-games.ts';
import { type GameAccounts, type GamesFound, reconcileGames } from './reconcile-games.ts';
import { registerGames } from './register-games.ts';
import { nameGames, toStreamFields } from './stream-fields.ts';

/** How many entries may wait for their ids: while Redis is away, the runtime manager pauses. */
const maxUnanswered = 1_000;

/** Applied events are published to the lobby at once. If nothing has been published for this long, nothing more will be. */
const quietMs = 5_000;

/** A runtime manager: it registers games, and writes what happens to their containers to the stream of health events. */
export function createGameTraffic(options: {
  config: Config;
  database: Database;
  redis: Redis;
  timeline: Timeline<GameEntry>;
  games: number;
  run: string;
  /** stops the manager */
  signal: AbortSignal;
}): Traffic<GameAccounts> {
  const { config, database, redis, timeline, games, signal } = options;
  const { health } = config;
  const names = nameGames(options.run);
  const inspector = createGameInspector({ database, redis, health, names });
  const expected = new Map<string, GameState>();
  const marks = new Set<string>();
  const writes = new Set<Promise<void>>();
  let failure: unknown = null;
  let sent = 0;
  let written = 0;
  let lastId = '0-0';
  let isApplied = false;
  let found: GamesFound | null = null;
  let lastToldAt = 0;

  /** The client sends without waiting for replies, and the server keeps the order. */
  const write = (entry: GameEntry, startedAtMs: number): void => {
    const answered = redis.xadd(health.stream, '*', ...toStreamFields(entry, names, startedAtMs)).then(
      (id) => {
        written += 1;
        lastId = id ?? lastId;
      },
      (error: unknown) => {
        failure ??= error;
      },
    );
    writes.add(answered);
    void answered.then(() => writes.delete(answered));
    sent += 1;
    if (entry.kind === 'event') expected.set(names.gameId(entry.game), entry.leaves);
    else marks.add(names.mark(entry.index));
  };

  const report = (now: GamesFound): GameAccounts =>
    reconcileGames({ games, sent, expected, marks, isApplied }, now, names);

  return {
    total: timeline.total,
    done: () => sent,
    describe() {
      if (found !== null) {
        const { running, unreachable } = report(found);
        return `${running} games running, ${unreachable} unreachable`;
      }
      const lost = [...expected.values()].filter(({ status }) => status !== 'running').length;
      return `${games} games, ${lost} without an engine`;
    },
    async produce() {
      await inspector.open();
      await registerGames(
        database,
        Array.from({ length: games }, (_, game) => names.gameId(game)),
      );
      const startedAtMs = Date.now();
      const isOverloaded = () => writes.size > maxUnanswered;
      for await (const entry of inTime(timeline.events, { isOverloaded, signal })) write(entry, startedAtMs);
    },
    async flush() {
      await endsWithin(Promise.all(writes), closeTimeoutMs);
      if (failure !== null) throw failure;
    },
    async isSettled() {
      const offset = await inspector.readOffset();
      isApplied = written === sent && (sent === 0 || (offset !== null && compareStreamIds(offset, lastId) >= 0));
      if (!isApplied) return false;
      const before = found;
      found = await inspector.inspect();
      if (before?.snapshotCount !== found.snapshotCount) lastToldAt = performance.now();
      return report(found).unpublished === 0 || performance.now() - lastToldAt > quietMs;
    },
    reconcile: async () => report(found ?? (await inspector.inspect())),
    close: async () => undefined,
  };
}
