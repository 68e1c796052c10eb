import type { Lease, OutboxDepth } from '../../queries/health/health.ts';
import type { OffsetChange, OffsetReport } from '../../queries/health/health-offset.ts';
import type { HealthStatus } from '../../queries/health/health-status.ts';
import type { LobbyRival } from '../../queries/health/lobby-rival.ts';

/** How far the stream was read, for a person. */
export function offsetLines({ mode, offset, entriesBehind, lostEntries, stored, original, stream }: OffsetReport) {
  const range = stream.exists
    ? `${stream.entries} entries, ${stream.firstId ?? 'none'} to ${stream.lastId}`
    : 'does not exist';
  return [
    `stream    ${stream.name}: ${range}`,
    `stored    ${stored === null ? 'none' : `${stored.lastId}, saved ${stored.updatedAt.toISOString()}`}`,
    `original  ${original.lastId === null ? 'none' : JSON.stringify(original.lastId)} in Redis, key ${original.key}`,
    `position  after ${offset} (mode ${mode})`,
    `behind    ${entriesBehind === null ? 'unknown' : `${entriesBehind} entries`}`,
    `lost      ${lostEntries} entries`,
  ];
}

export function changeLines({ mode, label, before, after }: OffsetChange): string[] {
  const changed = `${label}: offset set to ${after}, was ${before}`;
  return mode === 'mirror' ? [changed, 'start the worker now: it reads its offset only at startup'] : [changed];
}

export function statusLines(status: HealthStatus): string[] {
  const { mode, stream, label, lease, lag, games, stuck, outbox, lobbyRival, gap, deadLetters } = status;
  const counted = Object.entries(games).filter(([, count]) => count > 0);
  const stuckText = `${stuck.records} engine_unreachable and healthy: ${stuck.gameIds.join(', ')}`;
  const lagText =
    lag === null
      ? 'unknown: the offset is not an entry id'
      : `${lag.entries ?? 'unknown number of'} entries, ${lag.ms} ms`;
  return [
    `stream        ${stream}, label ${label}, mode ${mode}`,
    `consumer      ${describeLease(lease)}`,
    `lag           ${lagText}`,
    `games         ${counted.map(([name, count]) => `${count} ${name}`).join(', ') || 'none'}`,
    `stuck         ${stuck.records === 0 ? 'none' : stuckText}`,
    `outbox        ${describeOutbox(outbox)}`,
    ...(lobbyRival ? [`lobby         ${describeRival(lobbyRival)}`] : []),
    `lost          ${describeGap(gap)}`,
    `dead letters  ${deadLetters} open`,
  ];
}

function describeLease(lease: Lease | null): string {
  if (lease === null) return 'no consumer has held the lease yet';
  if (lease.isHeld) return `${lease.holder} has held the lease for ${seconds(lease.heldForMs)} (token ${lease.token})`;
  return `the lease has been free for ${seconds(lease.expiredForMs)}; last holder ${lease.holder}`;
}

function describeOutbox({ rows, oldestAgeMs }: OutboxDepth): string {
  return oldestAgeMs === null ? 'empty' : `${rows} snapshots waiting, the oldest for ${seconds(oldestAgeMs)}`;
}

function describeRival({ state, label, holder }: LobbyRival): string {
  return state === 'publishes'
    ? `label ${label} (${holder}) publishes to the lobby, so this consumer does not`
    : `label ${label} (${holder}) also tries to publish to the lobby and is refused`;
}

function describeGap({ entries, noticedAt, afterId, beforeId }: HealthStatus['gap']): string {
  if (entries === 0) return 'none';
  if (noticedAt === null) return `${entries} entries`;
  const range = `between ${afterId ?? 'the beginning'} and ${beforeId ?? 'the end'}`;
  return `${entries} entries, the last ${range}, noticed ${noticedAt.toISOString()}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
