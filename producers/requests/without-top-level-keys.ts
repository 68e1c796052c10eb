import { findJsonMembers } from '../../shared/platform/json-members.ts';

/**
 * Removes the members with these names from a JSON object's text. Everything else stays byte for byte: the order of the keys,
 * numbers of any length, spaces, the same names deeper down. A text that is no JSON object, or has none of the names, is
 * returned unchanged.
 *
 * 1 MiB takes a few ms on the caller's thread. A text that contains none of the names is only searched.
 */
export function withoutTopLevelKeys(bodyText: string, names: readonly string[]): string {
  if (!names.some((name) => mayContain(bodyText, name))) return bodyText;
  const members = findJsonMembers(bodyText);
  const first = members?.[0];
  const kept = members?.filter(({ key }) => !names.includes(key));
  if (!members || !first || kept?.length === members.length) return bodyText;

  const parts = [bodyText.slice(0, first.start)];
  let endBefore = first.start;
  let isFirst = true;
  for (const { key, start, end } of members) {
    // The comma and the spaces before a member are removed with it; the first member that is kept needs none.
    if (!names.includes(key)) {
      parts.push(bodyText.slice(isFirst ? start : endBefore, end));
      isFirst = false;
    }
    endBefore = end;
  }
  parts.push(bodyText.slice(endBefore));
  return parts.join('');
}

/** Whether the text may contain a key of that name, possibly written with escapes. */
function mayContain(text: string, name: string): boolean {
  return (
    text.includes(name) ||
    text.includes('\\u') ||
    (text.includes('\\') && JSON.stringify(name) !== `"${name}"`) ||
    (name.includes('/') && text.includes('\\/'))
  );
}
