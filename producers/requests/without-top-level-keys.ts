import { findJsonMembers } from '../../shared/platform/json-members.ts';

/**
 * A JSON object's text without the members of these names. All else stays as it is, byte for byte: the order of the keys,
 * numbers of any length, spaces, the same names deeper down. What is no JSON object, or has none of the names, comes back
 * unchanged.
 *
 * A pass over 1 MiB takes a few ms on the caller's thread; where no name can be in the text, it is only searched.
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
    // What stands before a member, the comma and the spaces, goes with it; the first that is kept needs none.
    if (!names.includes(key)) {
      parts.push(bodyText.slice(isFirst ? start : endBefore, end));
      isFirst = false;
    }
    endBefore = end;
  }
  parts.push(bodyText.slice(endBefore));
  return parts.join('');
}

/** Whether a key of that name can be in the text; it may be written with escapes. */
function mayContain(text: string, name: string): boolean {
  return (
    text.includes(name) ||
    text.includes('\\u') ||
    (text.includes('\\') && JSON.stringify(name) !== `"${name}"`) ||
    (name.includes('/') && text.includes('\\/'))
  );
}
