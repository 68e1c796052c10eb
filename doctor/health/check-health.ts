import { countLostUnnoticed } from '../../queries/health/health-stream.ts';
import { compareStreamIds, firstStreamId, isStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Answer } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';
import type { HealthFacts } from './health-facts.ts';

const on = findingsOn('health events');

const warnAfterMs = 60_000;
const failAfterMs = 900_000;
/** A loss is told for so long; it stays in the offset's row for ever. */
const gapToldForMs = 7 * 86_400_000;

const start = 'start one: sluice worker health-events';

/** What the consumer of health events is held against. */
export interface HealthContext {
  config: Pick<Config['health'], 'mode' | 'stream' | 'lobbyStream'>;
  nowMs: number;
}

/** How the consumer of health events is. Where nobody ever used it, that is all that is said. */
export function checkHealth(answer: Answer<HealthFacts | null>, context: HealthContext): Finding[] {
  if (!answer.known)
    return [
      on.warning(
        'consumer',
        `could not be looked at: ${answer.why}`,
        'look at the rights of the users of DATABASE_URL and REDIS_URL, and at who locks the tables (pg_locks)',
      ),
    ];
  // Without its tables; that is told as a missing migration.
  if (answer.value === null) return [];
  const facts = answer.value;
  if (facts.stream.facts === null && facts.position.savedIn === 'nowhere') return [on.ok('consumer', 'not used')];
  return [
    checkConsumer(facts),
    checkOffset(facts, context),
    checkLag(facts),
    checkGap(facts, context),
    checkOutbox(facts, context),
    ...checkLobby(facts, context),
    checkStuck(facts),
    ...checkOriginal(facts, context),
  ];
}

function checkConsumer({ lease, unread }: HealthFacts): Finding {
  const check = 'consumer';
  if (lease?.isHeld)
    return on.ok(check, `${lease.holder} holds the lease, for ${Math.round(lease.heldForMs / 1_000)} s`);
  const last = lease === null ? 'nobody ever held the lease' : `nobody holds the lease; the last was ${lease.holder}`;
  if (unread === null || unread.oldestId === null) return on.ok(check, `${last}, and nothing is unread`);
  return on.warning(check, `${last}, and entries wait`, start);
}

const beginsAnew = 'the consumer begins at the beginning by itself: look that one runs';

function checkOffset({ position, stream }: HealthFacts, { config }: HealthContext): Finding {
  const check = 'offset';
  const { lastId, savedIn, entriesRead } = position;
  if (!isStreamId(lastId))
    return on.failure(
      check,
      `${JSON.stringify(lastId.slice(0, 64))} in Redis is no entry id`,
      'set it: sluice health offset set <id>, or earliest to read all again',
    );
  const { facts } = stream;
  if (facts === null) {
    if (lastId === firstStreamId) return on.ok(check, 'at the beginning of a stream that is not there yet');
    return on.warning(
      check,
      `${lastId}, of a stream that is not there: ${config.stream}`,
      'look whether it was deleted, and whether SLUICE_HEALTH_STREAM and REDIS_URL are right',
    );
  }
  if (compareStreamIds(lastId, facts.lastId) > 0) {
    const message = `${lastId} is after the last entry of the stream (${facts.lastId}), which was begun anew or restored`;
    if (savedIn === 'redis')
      return on.failure(check, `${message}; entries up to there are not read`, 'run sluice health offset set earliest');
    return on.warning(check, message, beginsAnew);
  }
  if (entriesRead !== null && facts.entriesAdded !== null && entriesRead > facts.entriesAdded)
    return on.warning(
      check,
      `${entriesRead} entries were read, and the stream has had ${facts.entriesAdded}: it was begun anew or restored`,
      beginsAnew,
    );
  if (savedIn === 'nowhere') return on.ok(check, 'none yet: reading will start at the beginning');
  return on.ok(check, `${lastId}${savedIn === 'redis' ? ', in Redis' : ''}`);
}

function checkLag({ unread }: HealthFacts): Finding {
  const check = 'lag';
  if (unread === null) return on.ok(check, 'nothing to read');
  if (unread.oldestId === null) return on.ok(check, 'everything is read');
  const message = `the oldest unread entry, ${unread.oldestId}, has waited for ${Math.round(unread.oldestAgeMs / 1_000)} s`;
  const remedy = 'look at the consumer: its log, and what it waits for in PostgreSQL (pg_stat_activity)';
  if (unread.oldestAgeMs > failAfterMs) return on.failure(check, message, remedy);
  if (unread.oldestAgeMs > warnAfterMs) return on.warning(check, message, remedy);
  return on.ok(check, message);
}

function checkGap({ offset, position, stream }: HealthFacts, { nowMs }: HealthContext): Finding {
  const check = 'gap';
  const remedy =
    "trim the stream later, by MINID, not before what is read; compare games with the runtime manager's own latest snapshots";
  const unnoticed = countLostUnnoticed(stream.facts, position);
  if (unnoticed > 0)
    return on.warning(
      check,
      `${unnoticed} entries after ${position.lastId} were removed before they were read`,
      remedy,
    );
  if (offset === null || offset.gapEntries === 0) return on.ok(check, 'no entry was lost');
  const { gapEntries, gapAt, gapAfterId, gapBeforeId } = offset;
  const range = `after ${gapAfterId ?? 'the beginning'} and before ${gapBeforeId ?? 'the end'}`;
  const message = `${gapEntries} entries were removed before they were read, the last ${range}, noticed ${gapAt?.toISOString() ?? 'once'}`;
  if (gapAt !== null && nowMs - gapAt.getTime() < gapToldForMs) return on.warning(check, message, remedy);
  return on.ok(check, message);
}

function checkOutbox({ outbox: { rows, oldestAgeMs } }: HealthFacts, { config }: HealthContext): Finding {
  const check = 'outbox';
  if (oldestAgeMs === null) return on.ok(check, 'every snapshot is published');
  const message = `${rows} snapshots wait to be published, the oldest for ${Math.round(oldestAgeMs / 1_000)} s`;
  const remedy = `look that a hardened consumer runs, and what its log says about ${config.lobbyStream}`;
  if (oldestAgeMs > failAfterMs) return on.failure(check, message, remedy);
  if (oldestAgeMs > warnAfterMs) return on.warning(check, message, remedy);
  return on.ok(check, message);
}

function checkLobby({ lobbyRival }: HealthFacts, { config: { lobbyStream } }: HealthContext): Finding[] {
  if (!lobbyRival) return [];
  const { state, label, holder } = lobbyRival;
  const who = `the consumer with label ${label} (${holder})`;
  const message =
    state === 'publishes'
      ? `${who} publishes to ${lobbyStream}, so this one does not`
      : `${who} also wants to publish to ${lobbyStream}, and is refused`;
  const remedy =
    'stop one of the two (after a change of label, the old one), or give each a stream: SLUICE_HEALTH_LOBBY_STREAM';
  return [on.warning('lobby', message, remedy)];
}

function checkStuck({ stuck: { records, gameIds } }: HealthFacts): Finding {
  if (records === 0) return on.ok('stuck', 'no game');
  const more = records > gameIds.length ? ' and others' : '';
  return on.warning(
    'stuck',
    `${records} games are engine_unreachable and healthy: ${gameIds.join(', ')}${more}`,
    'their engines were started again and no recovery was reported: look at each, and put its status right',
  );
}

/** An original that still reads moves its own offset past ours. */
function checkOriginal({ offset, stream }: HealthFacts, { config }: HealthContext): Finding[] {
  const { originalOffset } = stream;
  if (config.mode === 'mirror' || offset === null || originalOffset === null || !isStreamId(originalOffset)) return [];
  if (compareStreamIds(originalOffset, offset.lastId) <= 0) return [];
  return [
    on.warning(
      'original',
      `its offset in Redis, ${originalOffset}, is ahead of ours, ${offset.lastId}: it still reads, or ours was set back`,
      'if the original runs, stop it: both publish to the lobby',
    ),
  ];
}
