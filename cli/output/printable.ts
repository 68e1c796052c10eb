/**
 * What a terminal would obey or hide instead of showing it: control characters of both ranges, with which a stored text could
 * move the cursor, set the title or type for the user; characters that reverse the reading direction or have no width; line
 * breaks; lone surrogates. The joiners of scripts and emoji stay.
 */
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text as one line that a terminal shows as it is. Hidden characters are escaped, as `\x1b` or `\u{202e}`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => known[character] ?? toEscape(character.codePointAt(0) ?? 0));
}

function toEscape(codePoint: number): string {
  const hex = codePoint.toString(16);
  return codePoint < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

/** JSON that is safe to show and means the same: JSON itself allows all but the first range of control characters. */
export function printableJson(value: unknown, indent = 0): string {
  // Like undefined, which is not JSON.
  const text = JSON.stringify(value, null, indent) ?? 'null';
  return text.replaceAll(unprintable, (character) =>
    character === '\n' ? character : [...Array(character.length).keys()].map((at) => toUnit(character, at)).join(''),
  );
}

function toUnit(character: string, at: number): string {
  return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
