import { hash } from 'node:crypto';

/** A UUIDv7 begins with its time: 48 bits, in ms since 1970. */
export function timeOfUuidV7(id: string): number | null {
  return id[14] === '7' ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}

/**
 * The id of a record that has none of its own, in a body with an `Idempotency-Key`: always the same for the same sender, key and
 * place. A UUIDv8 (RFC 9562), of SHA-256.
 */
export function deriveId(seed: string, index: number): string {
  const hex = hash('sha256', `${seed}\n${index}`, 'hex');
  const variant = ((Number.parseInt(hex[16] as string, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What the derived ids of a body have in common. @param sender '' where there are no tokens */
export function idSeed(kind: string, sender: string, idempotencyKey: string): string {
  return JSON.stringify(['sluice gateway', kind, sender, idempotencyKey]);
}
