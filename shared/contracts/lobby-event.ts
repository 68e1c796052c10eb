/** The stream that the lobby learns from how games are. */
export const lobbyStream = 'gm:lobby_events';

export const snapshotEventType = 'runtime_snapshot_update';

/** How a game's runtime is at one moment. */
export interface RuntimeSnapshot {
  gameId: string;
  currentTurn: number;
  runtimeStatus: string;
  /** may be empty before anything was observed */
  engineHealthSummary: string;
  /** UTC milliseconds of the clock of whoever publishes it */
  occurredAtMs: number;
}

/** A snapshot as fields and values of a stream entry. The contract is closed: no field may be added. */
export function toLobbyFields(snapshot: RuntimeSnapshot): string[] {
  return [
    'event_type',
    snapshotEventType,
    'game_id',
    snapshot.gameId,
    'current_turn',
    String(snapshot.currentTurn),
    'runtime_status',
    snapshot.runtimeStatus,
    'engine_health_summary',
    snapshot.engineHealthSummary,
    // Only a generated turn has them.
    'player_turn_stats',
    '[]',
    'occurred_at_ms',
    String(snapshot.occurredAtMs),
  ];
}

/**
 * The key, a hash, of the place that the outbox is published to: `epoch` of the outbox, `token` of the one who published
 * last, `seq` of the last snapshot. In the slot of the lobby's stream, so that both change in one step on a cluster, too.
 */
export function placeKey(stream: string): string {
  return `{${hashTagOf(stream)}}:sluice`;
}

/** What of a key decides on its slot: what is between the first brace and the next one that closes it, if anything. */
function hashTagOf(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open < 0 || close <= open + 1 ? key : key.slice(open + 1, close);
}
