/** The stream from which the lobby learns the state of games. */
export const lobbyStream = 'gm:lobby_events';

export const snapshotEventType = 'runtime_snapshot_update';

/** The state of a game's runtime at one moment. */
export interface RuntimeSnapshot {
  gameId: string;
  currentTurn: number;
  runtimeStatus: string;
  /** may be empty before the first observation */
  engineHealthSummary: string;
  /** UTC milliseconds, by the publisher's clock */
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
    // Only a generated turn has these fields.
    'player_turn_stats',
    '[]',
    'occurred_at_ms',
    String(snapshot.occurredAtMs),
  ];
}

/**
 * The key, a hash, of the outbox's publishing position: the outbox's `epoch`, the last publisher's `token`, and the `seq` of the
 * last snapshot. It is in the slot of the lobby's stream, so that both can change in one step on a cluster, too.
 */
export function placeKey(stream: string): string {
  return `{${hashTagOf(stream)}}:sluice`;
}

/** The part of a key that determines its slot: between the first brace and the next closing one, if there is anything. */
function hashTagOf(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open < 0 || close <= open + 1 ? key : key.slice(open + 1, close);
}
