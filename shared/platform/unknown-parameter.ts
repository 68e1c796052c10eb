const shownChars = 100;

/**
 * The first parameter in a query that its address does not take, and what to say of it. Ignored, a misspelt one would change what is
 * done without a word. Null: it takes them all.
 *
 * @param query by name
 */
export function findUnknownParameter(
  query: unknown,
  accepted: readonly string[],
): { name: string; message: string } | null {
  const unknown = Object.keys(query ?? {}).find((name) => !accepted.includes(name));
  if (unknown === undefined) return null;
  const others = accepted.length === 0 ? 'none is accepted' : `accepted: ${accepted.join(', ')}`;
  return { name: unknown.slice(0, shownChars), message: `is not a parameter of this address; ${others}` };
}
