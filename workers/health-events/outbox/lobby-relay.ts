import { setTimeout as sleep } from 'node:timers/promises';
import { toLobbyFields } from '../../../shared/contracts/lobby-event.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import type { Repeat } from '../../../shared/platform/retry.ts';
import type { Lease } from '../lease.ts';
import { announceAllGames, oweAnnouncement } from './announcement.ts';
import { createCommittedRows } from './committed-rows.ts';
import { createLobbyPlace, type PlaceReply, type Publisher } from './lobby-place.ts';
import { clearPublished, nextSnapshots, type OutboxRow, outboxBounds } from './outbox.ts';
import { putAsideSnapshots, takeOverSnapshots } from './outbox-transfer.ts';

export interface RelayDeps {
  database: Database;
  redis: Redis;
  lease: Lease;
  lobbyStream: string;
  /** how long this relay may be silent before another consumer may publish. @default 30000 */
  silenceMs?: number;
  onDatabase: Repeat;
  onRedis: Repeat;
  now(): number;
  onPublished(snapshots: number): void;
  /** the lobby had to be told of all games again */
  onAnnounced(games: number): void;
  /**
   * @param publisher another consumer, which publishes to the same stream now; null: this one does
   * @param seq how far this outbox was published
   */
  onPublisher?(publisher: Publisher | null, seq: number): void;
}

const snapshotsPerCall = 500;
/** How often the place is looked at when there is nothing to publish: Redis may have lost its last writes. */
const idleLookMs = 1_000;
const clearEveryMs = 10_000;
const defaultSilenceMs = 30_000;

/**
 * Publishes the outbox in order. Redis knows how far it is; what this relay remembers is only checked against it. So a crash
 * anywhere repeats nothing, and when Redis comes back without its last writes, they are written again.
 *
 * What a commit tells of is published from memory when it comes right after the place. In all other cases, the outbox is read.
 *
 * One outbox is published to a stream at a time. While another one is, the snapshots of this one go to it when both are in
 * one database, and else wait, the last one of each game; when the other consumer has ended or is silent, they are published.
 */
export function createLobbyRelay(deps: RelayDeps) {
  const { database, redis, lease, lobbyStream, silenceMs = defaultSilenceMs, onDatabase, onRedis } = deps;
  const lobby = createLobbyPlace({ redis, lobbyStream, lease, silenceMs });
  const committed = createCommittedRows(snapshotsPerCall);
  let place: number | null = null;
  /** whether the outbox may have more after the place than its commits tell of */
  let isBehind = true;
  let publisher: Publisher | null = null;
  let isAnnouncementDue = false;
  let triedToAnnounceAtMs = Number.NEGATIVE_INFINITY;
  let clearedAtMs = Number.NEGATIVE_INFINITY;
  let wake = (): void => undefined;
  let woken = 1;
  let settled = 0;
  let running: Promise<'stopped' | 'fenced'> | null = null;
  let isStopping = false;
  const stopping = Promise.withResolvers<void>();

  const call = (...what: string[]): Promise<PlaceReply> => onRedis(() => lobby.call(...what));

  /** Goes to where Redis is. What it lacks and the outbox has no more is made up for. */
  const goTo = async (seq: number): Promise<void> => {
    const { floor, top, ...bounds } = await onDatabase(() => outboxBounds(database, lease.label));
    const lacks = seq < floor || seq > top;
    if (lacks) await onDatabase(() => oweAnnouncement(database, lease));
    isAnnouncementDue = lacks || bounds.isAnnouncementDue;
    // After the end: the database was restored from a copy that knows nothing of what was published since.
    if (seq > top) await call('move', String(top));
    place = Math.min(seq, top);
    isBehind = true;
  };

  const announce = async (): Promise<void> => {
    triedToAnnounceAtMs = performance.now();
    const games = await onDatabase(() => announceAllGames(database, lease, deps.now()));
    if (games === null) return;
    isAnnouncementDue = false;
    isBehind = true;
    deps.onAnnounced(games);
  };

  const takeOver = async ({ seq, publisher: silent }: PlaceReply): Promise<void> => {
    await onDatabase(() => takeOverSnapshots(database, lease, { epoch: silent.epoch, seq }));
    // It may have spoken up meanwhile, or somebody else have been faster: then nothing happens.
    await call('take', silent.epoch, String(seq));
  };

  const putAside = async ({ seq, publisher: other }: PlaceReply): Promise<void> => {
    place = null;
    await onDatabase(() => putAsideSnapshots(database, lease, { publisherEpoch: other.epoch, seq }));
    if (publisher?.holder === other.holder && publisher.epoch === other.epoch) return;
    publisher = other;
    deps.onPublisher?.(other, seq);
  };

  /** What comes next, from what was committed just now if that is all there is; else from the outbox. */
  const next = async (after: number): Promise<readonly OutboxRow[]> => {
    const rows = isBehind ? [] : committed.takeAfter(after);
    if (rows.length > 0) return rows;
    isBehind = false;
    const stored = await onDatabase(() => nextSnapshots(database, lease.label, after, snapshotsPerCall));
    isBehind ||= stored.length === snapshotsPerCall;
    return stored;
  };

  /**
   * Publishes what there is.
   *
   * @returns `fenced` when a later lease's holder publishes now, `refused` while another consumer does
   */
  const publish = async (): Promise<'done' | 'fenced' | 'refused'> => {
    const wakings = woken;
    for (;;) {
      if (place !== null && isAnnouncementDue && performance.now() - triedToAnnounceAtMs > idleLookMs) await announce();
      const rows = place === null ? [] : await next(place);
      const reply = await call(place === null ? 'join' : String(place), ...rows.flatMap(toArguments));
      if (reply.outcome === 'fenced') return 'fenced';
      if (reply.outcome === 'refused') {
        await putAside(reply);
        settled = wakings;
        return 'refused';
      }
      if (reply.outcome === 'vacant') {
        place = null;
        await takeOver(reply);
        continue;
      }
      if (publisher !== null) deps.onPublisher?.(null, reply.seq);
      publisher = null;
      if (reply.outcome === 'elsewhere') {
        await goTo(reply.seq);
        continue;
      }
      place = reply.seq;
      deps.onPublished(rows.length);
      if (!isBehind) break;
    }
    if (performance.now() - clearedAtMs > clearEveryMs) {
      clearedAtMs = performance.now();
      const published = place;
      await onDatabase(() => clearPublished(database, lease, published));
    }
    settled = wakings;
    return 'done';
  };

  /** Resolves when it is time to look, and before that when it was woken, unless there is nothing that could be done. */
  const untilTime = async (outcome: 'done' | 'refused'): Promise<void> => {
    if (outcome === 'done' && settled < woken) return;
    const timer = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (outcome === 'done') wake = resolve;
    await Promise.race([promise, stopping.promise, sleep(idleLookMs, undefined, timer).catch(() => undefined)]);
    timer.abort();
  };

  const publishAll = async (): Promise<'stopped' | 'fenced'> => {
    const ended = new AbortController();
    lobby.stayWhile(ended.signal);
    try {
      while (!isStopping || settled < woken) {
        const outcome = await publish();
        if (outcome === 'fenced') return outcome;
        if (!isStopping) await untilTime(outcome);
      }
    } finally {
      ended.abort();
    }
    await lobby.release();
    return 'stopped';
  };

  return {
    /** Snapshots that are published, by their number; null before Redis has said so. */
    get place(): number | null {
      return place;
    },

    /**
     * Tells that there is something in the outbox.
     *
     * @param rows what a commit has put there; none: that is not known
     * @param yields whether what the caller asks Redis for next may go first
     */
    wake(rows: readonly OutboxRow[] = [], { yields = false } = {}): void {
      if (rows.length > 0) committed.add(rows);
      else isBehind = true;
      woken += 1;
      if (yields) setImmediate(() => wake());
      else wake();
    },

    /** Whether it was told of something that is not published yet. */
    get isDue(): boolean {
      return settled < woken;
    },

    publish,

    /** Publishes whenever it is told to, and looks now and then, until `stop`. @returns `fenced` as `publish` does */
    async run(): Promise<'stopped' | 'fenced'> {
      if (isStopping && running === null) return 'stopped';
      running ??= publishAll();
      return await running;
    },

    /** Publishes nothing any more, and lets another consumer do so at once. */
    release: lobby.release,

    /** Ends `run` when everything that it was told of is published. */
    async stop(): Promise<void> {
      isStopping = true;
      stopping.resolve();
      // Whoever called `run` hears how it ended.
      await Promise.allSettled([running]);
    },
  };
}

function toArguments({ seq, snapshot }: OutboxRow): string[] {
  return [String(seq), JSON.stringify(toLobbyFields(snapshot))];
}
