import { findJsonMembers } from '../../shared/platform/json-members.ts';

/**
 * A record with one note more, all else as it stands in the text. One that has the note already, as from a producer that
 * looks for the same, is left as it is; so is one whose notes would become too long.
 *
 * @param json an object
 */
export function withNote(json: string, note: string, maxChars: number): string {
  const members = findJsonMembers(json) ?? [];
  const last = members.findLast(({ key }) => key === 'notes');
  const notes: unknown = last === undefined ? null : JSON.parse(`{${json.slice(last.start, last.end)}}`).notes;
  const before = typeof notes === 'string' ? notes : '';
  if (before.includes(note)) return json;
  const after = before === '' ? note : `${before}; ${note}`;
  if (after.length > maxChars) return json;
  const member = `"notes":${JSON.stringify(after)}`;
  if (last !== undefined) return `${json.slice(0, last.start)}${member}${json.slice(last.end)}`;
  const end = json.lastIndexOf('}');
  return `${json.slice(0, end)}${members.length > 0 ? ',' : ''}${member}${json.slice(end)}`;
}
