import { createHmac, createSecretKey } from 'node:crypto';

/** Hashes an API key: HMAC-SHA256 in 64 hexadecimal digits. */
export type HashApiKey = (apiKey: string) => string;

/**
 * Because of the pepper, someone who reads the table cannot try out keys. With the same pepper everywhere, a key has one hash.
 *
 * @param pepper secret, at least 16 characters
 */
export function createApiKeyHash(pepper: string): HashApiKey {
  const secret = createSecretKey(Buffer.from(pepper));
  return (apiKey) => createHmac('sha256', secret).update(apiKey).digest('hex');
}
