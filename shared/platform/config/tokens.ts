import { jsonOrNull } from '../json-or-null.ts';
import { matching, type Reader, reader } from './environment.ts';

/** A token that travels in a header: long enough not to be guessed, of characters that a header carries unchanged. */
const tokenPattern = /^[\x21-\x7e]{16,500}$/;

export const bearerToken = matching(tokenPattern, '16 to 500 visible ASCII characters without spaces');

const accepted =
  'a JSON object of realms, each with its token of 16 to 500 visible ASCII characters without spaces, such as {"acme":"…"}';

const maxRealmChars = 512;

/** Tokens by realm, as a JSON object. */
export const realmTokens: Reader<ReadonlyMap<string, string>> = reader((text) => {
  const realms = jsonOrNull(text);
  if (typeof realms !== 'object' || realms === null || Array.isArray(realms)) return { accepted };
  const entries = Object.entries(realms);
  return entries.every(isRealmToken) ? { value: new Map(entries) } : { accepted };
});

function isRealmToken(entry: [string, unknown]): entry is [string, string] {
  const [realm, token] = entry;
  return realm.length >= 1 && realm.length <= maxRealmChars && typeof token === 'string' && tokenPattern.test(token);
}
