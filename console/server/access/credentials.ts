import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../../../shared/platform/config/config.ts';
import type { Access } from './access.ts';

/** A token, and what its bearer may do. */
export interface Credential {
  /** identifies the token within the configuration */
  id: string;
  token: string;
  access: Access;
}

/** The configured tokens. */
export interface Credentials {
  /** false: there are no tokens for people, so whoever reaches the console may do everything */
  areRequired: boolean;
  /** the credential with this token; null if there is none */
  find(token: string): Credential | null;
  byId(id: string): Credential | null;
}

export function createCredentials({ console }: Pick<Config, 'console'>): Credentials {
  const all: Credential[] = [];
  const add = (id: string, token: string | null, access: Access): void => {
    if (token !== null) all.push({ id, token, access });
  };
  add('operator', console.operatorToken, { kind: 'operator' });
  add('read', console.readToken, { kind: 'read' });
  for (const [realm, token] of console.realmTokens) add(`realm:${realm}`, token, { kind: 'realm', realm });
  const areRequired = all.length > 0;
  add('metrics', console.metricsToken, { kind: 'metrics' });
  const hashed = all.map((credential) => ({ credential, hash: digest(credential.token) }));
  return {
    areRequired,
    find(token) {
      const hash = digest(token);
      let found: Credential | null = null;
      // All tokens are compared, each in the same time, so that the time taken reveals nothing about any of them.
      for (const known of hashed) if (timingSafeEqual(known.hash, hash)) found ??= known.credential;
      return found;
    },
    byId: (id) => all.find((credential) => credential.id === id) ?? null,
  };
}

/** Has the same length for every token. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
