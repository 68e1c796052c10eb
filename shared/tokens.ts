import { z } from 'zod';

const tokenPattern = /^[\x21-\x7e]{16,500}$/;

/** A token that travels in a header: long enough not to be guessed, of characters that a header carries unchanged. */
export const bearerToken = z
  .string()
  .regex(tokenPattern, { message: '16 to 500 visible ASCII characters without spaces' });

const accepted =
  'a JSON object of realms, each with its token of 16 to 500 visible ASCII characters without spaces, such as {"acme":"…"}';

/** Tokens by realm, as a JSON object. */
export const realmTokens = z.string().transform((text, context): ReadonlyMap<string, string> => {
  const parsed = z.record(z.string().min(1).max(512), bearerToken).safeParse(jsonIn(text));
  if (parsed.success) return new Map(Object.entries(parsed.data));
  context.addIssue({ code: 'custom', message: accepted });
  return z.NEVER;
});

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
