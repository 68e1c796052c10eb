import { placeKey } from '../../shared/contracts/lobby-event.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** Another consumer that publishes to the same lobby stream, or tries to. */
export interface LobbyRival {
  /** `publishes`: so this consumer may not; `refused`: it asked, but may not */
  state: 'publishes' | 'refused';
  label: string;
  /** host and process */
  holder: string;
  /** ms since it was last seen, by Redis' clock */
  silentForMs: number;
}

/** Who owns the lobby's stream, according to Redis. */
export interface LobbyPlace {
  fields: Readonly<Record<string, string>>;
  /** of Redis */
  nowMs: number;
}

export async function readLobbyPlace(redis: Redis, lobbyStream: string): Promise<LobbyPlace> {
  const [fields, [seconds, microseconds]] = await Promise.all([redis.hgetall(placeKey(lobbyStream)), redis.time()]);
  return { fields, nowMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000) };
}

/** A refused consumer keeps asking. */
const refusalToldForMs = 60_000;

/** @param epoch identifies the outbox of this consumer; null if it has never run */
export function findRival({ fields, nowMs }: LobbyPlace, epoch: string | null): LobbyRival | null {
  const since = (field: string): number => Math.max(0, nowMs - Number(fields[field] ?? 0));
  if (fields['epoch'] === undefined) return null;
  if (fields['epoch'] !== epoch) {
    const silentForMs = since('seen_at');
    if (silentForMs >= Number(fields['silence'] ?? 0)) return null;
    return { state: 'publishes', label: fields['label'] ?? '', holder: fields['holder'] ?? '', silentForMs };
  }
  const silentForMs = since('refused_at');
  if (silentForMs >= refusalToldForMs) return null;
  const { refused_label: label = '', refused_holder: holder = '' } = fields;
  return { state: 'refused', label, holder, silentForMs };
}

/** How far an outbox was published; 0 if nothing of it was, as far as Redis knows. */
export function publishedThrough({ fields }: LobbyPlace, epoch: string | null): number {
  return Number((fields['epoch'] === epoch ? fields['seq'] : fields[`seq:${epoch}`]) ?? 0);
}
