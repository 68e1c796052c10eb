import { countLostUnnoticed } from '../../queries/health/health-stream.ts';
import { compareStreamIds, firstStreamId, isStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Answer } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';
import type { HealthFacts } from './health-facts.ts';

const on = findingsOn('health events');

const warnAfterMs = 60_000;
const failAfterMs = 900_000;
/** A loss is reported for this long; the offset's row keeps it for ever. */
const gapToldForMs = 7 * 86_400_000;

const start = 'start one: sluice worker health-events';

/** What the consumer of health events is checked against. */
export interface HealthContext {
  config: Pick<Config['health'], 'mode' | 'stream' | 'lobbyStream'>;
  nowMs: number;
}

/** The state of the consumer of health events. If it was never used, this is the only finding. */
export function checkHealth(answer: Answer<HealthFacts | null>, context: HealthContext): Finding[] {
  if (!answer.known)
    return [
      on.warning(
        'consumer',
        `could not be checked: ${answer.why}`,
        'check the rights of the users in DATABASE_URL and REDIS_URL, and who locks the tables (pg_locks)',
      ),
    ];
  // The tables do not exist, which is reported as a missing migration.
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
    return on.ok(check, `${lease.holder} has held the lease for ${Math.round(lease.heldForMs / 1_000)} s`);
  const last =
    lease === null ? 'nobody has ever held the lease' : `nobody holds the lease; the last holder was ${lease.holder}`;
  if (unread === null || unread.oldestId === null) return on.ok(check, `${last}, and nothing is unread`);
  return on.warning(check, `${last}, and entries are unread`, start);
}

const beginsAnew = 'make sure that a consumer is running: it starts again from the beginning by itself';

function checkOffset({ position, stream }: HealthFacts, { config }: HealthContext): Finding {
  const check = 'offset';
  const { lastId, savedIn, entriesRead } = position;
  if (!isStreamId(lastId))
    return on.failure(
      check,
      `${JSON.stringify(lastId.slice(0, 64))} in Redis is not an entry id`,
      'set it: sluice health offset set <id>, or earliest to read everything again',
    );
  const { facts } = stream;
  if (facts === null) {
    if (lastId === firstStreamId) return on.ok(check, 'at the beginning of a stream that does not exist yet');
    return on.warning(
      check,
      `${lastId}, but the stream does not exist: ${config.stream}`,
      'check whether it was deleted, and whether SLUICE_HEALTH_STREAM and REDIS_URL are correct',
    );
  }
  if (compareStreamIds(lastId, facts.lastId) > 0) {
    const message = `${lastId} is after the last entry of the stream (${facts.lastId}), which was recreated or restored`;
    if (savedIn === 'redis')
      return on.failure(
        check,
        `${message}; entries up to that id will not be read`,
        'run sluice health offset set earliest',
      );
    return on.warning(check, message, beginsAnew);
  }
  if (entriesRead !== null && facts.entriesAdded !== null && entriesRead > facts.entriesAdded)
    return on.warning(
      check,
      `${entriesRead} entries were read, but only ${facts.entriesAdded} were ever added to the stream: it was recreated or restored`,
      beginsAnew,
    );
  if (savedIn === 'nowhere') return on.ok(check, 'none yet: the consumer will start at the beginning');
  return on.ok(check, `${lastId}${savedIn === 'redis' ? ', in Redis' : ''}`);
}

function checkLag({ unread }: HealthFacts): Finding {
  const check = 'lag';
  if (unread === null) return on.ok(check, 'nothing to read');
  if (unread.oldestId === null) return on.ok(check, 'everything is read');
  const message = `the oldest unread entry, ${unread.oldestId}, has waited for ${Math.round(unread.oldestAgeMs / 1_000)} s`;
  const remedy = "check the consumer's log, and what it waits for in PostgreSQL (pg_stat_activity)";
  if (unread.oldestAgeMs > failAfterMs) return on.failure(check, message, remedy);
  if (unread.oldestAgeMs > warnAfterMs) return on.warning(check, message, remedy);
  return on.ok(check, message);
}

function checkGap({ offset, position, stream }: HealthFacts, { nowMs }: HealthContext): Finding {
  const check = 'gap';
  const remedy =
    "trim the stream later, by MINID, and never past the consumer's offset; compare the games with the runtime manager's own latest snapshots";
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
  const message = `${gapEntries} entries were removed before they were read, the last ones ${range}, noticed ${gapAt?.toISOString() ?? 'at an unknown time'}`;
  if (gapAt !== null && nowMs - gapAt.getTime() < gapToldForMs) return on.warning(check, message, remedy);
  return on.ok(check, message);
}

function checkOutbox({ outbox: { rows, oldestAgeMs } }: HealthFacts, { config }: HealthContext): Finding {
  const check = 'outbox';
  if (oldestAgeMs === null) return on.ok(check, 'every snapshot is published');
  const message = `${rows} snapshots wait to be published, the oldest for ${Math.round(oldestAgeMs / 1_000)} s`;
  const remedy = `make sure that a hardened consumer is running, and see what its log says about ${config.lobbyStream}`;
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
      : `${who} also tries to publish to ${lobbyStream}, and is refused`;
  const remedy =
    'stop one of the two (after a change of label, the old one), or give each its own SLUICE_HEALTH_LOBBY_STREAM';
  return [on.warning('lobby', message, remedy)];
}

function checkStuck({ stuck: { records, gameIds } }: HealthFacts): Finding {
  if (records === 0) return on.ok('stuck', 'no game');
  const more = records > gameIds.length ? ' and others' : '';
  return on.warning(
    'stuck',
    `${records} games are engine_unreachable and healthy: ${gameIds.join(', ')}${more}`,
    'their engines were restarted and no recovery was reported: check each game, and correct its status',
  );
}

/** The original implementation, if it still reads, moves its own offset past ours. */
function checkOriginal({ offset, stream }: HealthFacts, { config }: HealthContext): Finding[] {
  const { originalOffset } = stream;
  if (config.mode === 'mirror' || offset === null || originalOffset === null || !isStreamId(originalOffset)) return [];
  if (compareStreamIds(originalOffset, offset.lastId) <= 0) return [];
  return [
    on.warning(
      'original',
      `its offset in Redis, ${originalOffset}, is ahead of ours, ${offset.lastId}: the original still reads, or our offset was set back`,
      'if the original is running, stop it: both publish to the lobby',
    ),
  ];
}
