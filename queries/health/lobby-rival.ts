import { placeKey } from '../../shared/contracts/lobby-event.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';

/** Another consumer that publishes to the same lobby stream, or would do so if it were let. */
export interface LobbyRival {
  /** `publishes`: so the one that is looked at may not; `refused`: it asked, and may not */
  state: 'publishes' | 'refused';
  label: string;
  /** host and process */
  holder: string;
  /** ms since it was there last, by the clock of Redis */
  silentForMs: number;
}

/** Whose the lobby's stream is, as Redis has it. */
export interface LobbyPlace {
  fields: Readonly<Record<string, string>>;
  /** of Redis */
  nowMs: number;
}

export async function readLobbyPlace(redis: Redis, lobbyStream: string): Promise<LobbyPlace> {
  const [fields, [seconds, microseconds]] = await Promise.all([redis.hgetall(placeKey(lobbyStream)), redis.time()]);
  return { fields, nowMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000) };
}

/** Who is refused asks again and again. */
const refusalToldForMs = 60_000;

/** @param epoch names the outbox of the consumer that is looked at; null before it ever ran */
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

/** How far an outbox was published; 0 when nothing of it was, as far as Redis knows. */
export function publishedThrough({ fields }: LobbyPlace, epoch: string | null): number {
  return Number((fields['epoch'] === epoch ? fields['seq'] : fields[`seq:${epoch}`]) ?? 0);
}
