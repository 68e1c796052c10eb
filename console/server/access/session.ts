import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import { z } from 'zod';
import type { Config } from '../../../shared/platform/config/config.ts';
import { jsonOrNull } from '../../../shared/platform/json-or-null.ts';
import type { Credential, Credentials } from './credentials.ts';

/** Where browsers find the console. */
export type PublicAddress = Pick<Config['console'], 'origin' | 'basePath'>;

/** A day's work. */
export const sessionMs = 12 * 3_600_000;

const contentSchema = z.tuple([z.string(), z.int()]);

/**
 * Creates the cookie of a login. It names the token and the time until which the session is valid, signed with the token,
 * which it does not contain. It ends at that time, or when the token changes, and is valid at every console that knows
 * the token.
 */
export function issueSession({ id, token }: Credential, nowMs: number): string {
  const content = Buffer.from(JSON.stringify([id, nowMs + sessionMs])).toString('base64url');
  return `${content}.${sign(content, token)}`;
}

/** The credential of a session; null if the session has expired, is forged or malformed. */
export function readSession(session: string, credentials: Credentials, nowMs: number): Credential | null {
  const [content = '', signature = '', ...rest] = session.split('.');
  const parsed = contentSchema.safeParse(jsonOrNull(Buffer.from(content, 'base64url').toString('utf8')));
  if (!parsed.success || rest.length > 0) return null;
  const [id, endsAtMs] = parsed.data;
  const credential = credentials.byId(id);
  if (credential === null || endsAtMs <= nowMs) return null;
  const expected = Buffer.from(sign(content, credential.token));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) ? credential : null;
}

/**
 * The cookie's name. Browsers send a cookie to every port of a host and to every path below its own, so two consoles of one
 * host would end each other's sessions if the name did not tell their ports and paths apart.
 *
 * @param host the header of the request, which says the port where the configuration does not
 */
export function sessionCookie({ origin, basePath }: PublicAddress, host = ''): string {
  const port = origin === null ? (/:(\d{1,5})$/.exec(host)?.[1] ?? '') : new URL(origin).port;
  return `sluice_session${port && `_${port}`}${basePath.replaceAll('/', '.')}`;
}

/** How a browser keeps the cookie. `isSecure`: the browser uses TLS, so the cookie must not be sent over plain HTTP. */
export function cookieOptions(isSecure: boolean, path: string): CookieSerializeOptions {
  return { path, httpOnly: true, sameSite: 'strict', secure: isSecure };
}

function sign(content: string, token: string): string {
  return createHmac('sha256', token).update(`sluice console session ${content}`).digest('base64url');
}
