import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import { z } from 'zod';
import { jsonOrNull } from '../../../shared/platform/json-or-null.ts';
import type { Credential, Credentials } from './credentials.ts';

/** A day's work. */
export const sessionMs = 12 * 3_600_000;

export const sessionCookie = 'sluice_session';
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

/** How a browser keeps the cookie. `isSecure`: the browser uses TLS, so the cookie must not be sent over plain HTTP. */
export function cookieOptions(isSecure: boolean): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure };
}

function sign(content: string, token: string): string {
  return createHmac('sha256', token).update(`sluice console session ${content}`).digest('base64url');
}
