/**
 * What a terminal would obey or hide in place of showing it: control characters of both ranges, with which a stored text
 * could move the cursor, set the title or answer for the person; characters that turn the direction of reading round or
 * have no width; breaks of lines; halves of characters. The joiners of scripts and emoji stay.
 */
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text as one line that a terminal shows as it is: what would not be shown is written out, as `\x1b` or `\u{202e}`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => known[character] ?? toEscape(character.codePointAt(0) ?? 0));
}

function toEscape(codePoint: number): string {
  const hex = codePoint.toString(16);
  return codePoint < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

/** JSON that is safe to show and means the same: JSON itself lets all but the first control characters through. */
export function printableJson(value: unknown, indent = 0): string {
  // As undefined, which is no JSON.
  const text = JSON.stringify(value, null, indent) ?? 'null';
  return text.replaceAll(unprintable, (character) =>
    character === '\n' ? character : [...Array(character.length).keys()].map((at) => toUnit(character, at)).join(''),
  );
}

function toUnit(character: string, at: number): string {
  return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
