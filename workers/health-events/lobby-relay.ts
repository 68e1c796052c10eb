import { setTimeout as sleep } from 'node:timers/promises';
import { placeKey, toLobbyFields } from '../../shared/contracts/lobby-event.ts';
import type { Database } from '../../shared/database.ts';
import type { Redis } from '../../shared/redis.ts';
import type { Repeat } from './event-store.ts';
import type { Lease } from './lease.ts';
import { announceAllGames, clearPublished, nextSnapshots, type OutboxRow, outboxBounds } from './outbox.ts';
import { publishScript } from './publish-script.ts';

export interface RelayDeps {
  database: Database;
  redis: Redis;
  lease: Lease;
  lobbyStream: string;
  onDatabase: Repeat;
  onRedis: Repeat;
  now(): number;
  onPublished(snapshots: number): void;
  /** the lobby had to be told of all games again */
  onAnnounced(games: number): void;
}

const snapshotsPerCall = 500;
/** How often the place is looked at when there is nothing to publish: Redis may have lost its last writes. */
const idleLookMs = 1_000;
const clearEveryMs = 10_000;

/**
 * Publishes the outbox in order. Redis knows how far it is; what this relay remembers is only checked against it. So a crash
 * anywhere repeats nothing, and when Redis comes back without its last writes, they are written again.
 */
export function createLobbyRelay(deps: RelayDeps) {
  const { database, redis, lease, lobbyStream, onDatabase, onRedis } = deps;
  let place: number | null = null;
  let clearedAtMs = 0;
  let wake = (): void => undefined;
  let woken = 1;
  let settled = 0;
  let isFinishing = false;

  const call = async (...what: string[]): Promise<{ outcome: string; seq: number }> => {
    const keys = [placeKey(lobbyStream), lobbyStream];
    const reply = await onRedis(() =>
      redis.eval(publishScript, keys.length, ...keys, lease.epoch, String(lease.token), ...what),
    );
    const [outcome, seq] = reply as [string, string];
    return { outcome, seq: Number(seq) };
  };

  /** Goes to where Redis is. What it lacks and the outbox has no more is made up for. */
  const goTo = async (seq: number): Promise<void> => {
    const { floor, top } = await onDatabase(() => outboxBounds(database, lease.label));
    // After the end: the database was restored from a copy that knows nothing of what was published since.
    if (seq > top) await call('move', String(top));
    place = Math.min(seq, top);
    if (seq < floor || seq > top)
      deps.onAnnounced(await onDatabase(() => announceAllGames(database, lease, deps.now())));
  };

  const next = (after: number) => onDatabase(() => nextSnapshots(database, lease.label, after, snapshotsPerCall));

  /**
   * Publishes what there is.
   *
   * @returns `fenced` when somebody else publishes now
   */
  const publish = async (): Promise<'done' | 'fenced'> => {
    const wakings = woken;
    for (;;) {
      const rows = place === null ? [] : await next(place);
      const { outcome, seq } = await call(place === null ? 'join' : String(place), ...rows.flatMap(toArguments));
      if (outcome === 'fenced') return 'fenced';
      if (outcome === 'elsewhere') {
        await goTo(seq);
        continue;
      }
      place = seq;
      deps.onPublished(rows.length);
      if (rows.length < snapshotsPerCall) break;
    }
    if (deps.now() - clearedAtMs > clearEveryMs) {
      clearedAtMs = deps.now();
      const published = place;
      await onDatabase(() => clearPublished(database, lease, published));
    }
    settled = wakings;
    return 'done';
  };

  /** Resolves when it was woken, or when it is time to look. */
  const untilWoken = async (): Promise<void> => {
    if (settled < woken) return;
    const timer = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await Promise.race([promise, sleep(idleLookMs, undefined, timer).catch(() => undefined)]);
    timer.abort();
  };

  return {
    /** Snapshots that are published, by their number; null before Redis has said so. */
    get place(): number | null {
      return place;
    },

    /** Tells that there is something in the outbox. */
    wake(): void {
      woken += 1;
      wake();
    },

    /** Whether it was told of something that is not published yet. */
    get isDue(): boolean {
      return settled < woken;
    },

    publish,

    /** Publishes whenever it is told to, and looks now and then, until `finish`. @returns `fenced` as `publish` does */
    async run(): Promise<'stopped' | 'fenced'> {
      while (!isFinishing || settled < woken) {
        if ((await publish()) === 'fenced') return 'fenced';
        if (!isFinishing) await untilWoken();
      }
      return 'stopped';
    },

    /** Lets `run` end when everything that it was told of is published. */
    finish(): void {
      isFinishing = true;
      wake();
    },
  };
}

function toArguments({ seq, snapshot }: OutboxRow): string[] {
  return [String(seq), JSON.stringify(toLobbyFields(snapshot))];
}
