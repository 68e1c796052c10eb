import { createHmac, createSecretKey } from 'node:crypto';

/** Makes the keyed hash that stands for an API key: HMAC-SHA256 in 64 hexadecimal digits. */
export type HashApiKey = (apiKey: string) => string;

/**
 * With the pepper, whoever reads the table cannot try out keys; with the same pepper everywhere, one key has one hash.
 *
 * @param pepper secret, at least 16 characters
 */
export function createApiKeyHash(pepper: string): HashApiKey {
  const secret = createSecretKey(Buffer.from(pepper));
  return (apiKey) => createHmac('sha256', secret).update(apiKey).digest('hex');
}
