import { Prisma } from '../../shared/platform/postgres/database.ts';

/**
 * The forms in which a text may stand in a body: as it is, in a JSON string, and in one whose writer leaves nothing but ASCII, with
 * digits of either case. Each once.
 */
export function formsOf(text: string): string[] {
  const escaped = JSON.stringify(text).slice(1, -1);
  const ascii = (toDigits: (hex: string) => string): string =>
    escaped.replaceAll(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${toDigits(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`,
    );
  return [...new Set([text, escaped, ascii((hex) => hex), ascii((hex) => hex.toUpperCase())])];
}

/**
 * The pieces of text in a stream of events, put together: members whose names are those that the APIs of models use for a piece of what
 * is said, thought or called. What a stream says is cut into pieces of a few letters, so that a text stands nowhere in the stream itself.
 */
const assembled = Prisma.raw(`(
  select string_agg(piece[1], '') from regexp_matches(response_body,
    '"(?:content|delta|text|thinking|reasoning_content|reasoning|refusal|partial_json|arguments)" *: *"((?:[^"\\\\]|\\\\.)*)"', 'g')
    as pieces (piece))`);

/**
 * Whether a body, or the failure, of a row of `request` joined with its template `asked` contains one of the forms of a text. A form is
 * compared as it is, and is never a pattern. Bodies that are kept as base64 are no text.
 */
export function hasText(forms: readonly string[]): Prisma.Sql {
  const has = (body: Prisma.Sql): Prisma.Sql =>
    Prisma.sql`(${Prisma.join(
      forms.map((form) => Prisma.sql`strpos(${body}, ${form}) > 0`),
      ' or ',
    )})`;
  return Prisma.sql`(
    (asked.body_encoding = 'utf8' and ${has(Prisma.raw('asked.body'))})
    or (response_encoding = 'utf8' and ${has(Prisma.raw('response_body'))})
    or (error is not null and ${has(Prisma.raw('error'))})
    or (response_encoding = 'utf8' and response_stream and ${has(assembled)}))`;
}
