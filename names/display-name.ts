/** What may have a name. */
export const nameKinds = ['strategy', 'creator'] as const;
export type NameKind = (typeof nameKinds)[number];

/** What people call the strategy or the creator of an id. */
export interface DisplayName {
  kind: NameKind;
  id: string;
  name: string;
}

/** Characters of an id, and of a name: what a line of a list has room for. */
export const longestId = 512;
export const longestName = 200;

/** Control characters and ends of lines, which no name has; PostgreSQL stores no NUL, and UTF-8 has no half of a pair. */
const refused = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * A name as it is stored: without space around it.
 *
 * @returns what is wrong with it, as a text; null if nothing is
 */
export function whyNoName({ id, name }: Pick<DisplayName, 'id' | 'name'>): string | null {
  if (id === '') return 'id is empty';
  if (isLonger(id, longestId)) return `id is longer than ${longestId} characters`;
  if (/[\0\p{Cs}]/u.test(id)) return 'id has a NUL or half a character';
  if (name.trim() === '') return 'name is empty';
  if (isLonger(name.trim(), longestName)) return `name is longer than ${longestName} characters`;
  if (refused.test(name)) return 'name has a control character or the end of a line';
  return null;
}

/** In characters, as PostgreSQL counts them. */
function isLonger(text: string, most: number): boolean {
  return text.length > most && (text.length > 2 * most || [...text].length > most);
}
