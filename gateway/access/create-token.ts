import { createHash, randomBytes } from 'node:crypto';
import { checkEntry, type SenderEntry } from './tokens-file.ts';

/**
 * Makes a token of 256 random bits, and the entry of its sender for the tokens file. A hash of so many bits cannot be turned
 * back, so the file may be read by those who may not send.
 *
 * @throws UsageError when the file could not be used with that entry
 */
export function createToken(entry: Omit<SenderEntry, 'sha256'>): { token: string; entry: SenderEntry } {
  const token = `sluice_${randomBytes(32).toString('base64url')}`;
  const { name, ...rights } = entry;
  const made = { name, sha256: [hashToken(token).toString('hex')], ...rights };
  checkEntry(made);
  return { token, entry: made };
}

/** Has the same length for every token. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
