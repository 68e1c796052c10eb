/** One statement of an SQL file. */
export interface SqlStatement {
  /** as it stands in the file, with the comments before and within it, without the semicolon */
  text: string;
  /** without comments; what stands within quotes of a text is left out, and white space is one blank */
  code: string;
  /** the lines of comments before and within it, without `--` */
  comments: string[];
}

/** What a script is made of: comments, quoted texts, dollar quotes, quoted names, the end of a statement, all else. */
const tokens =
  /(?<comment>--[^\n]*)|(?<block>\/\*.*?\*\/)|(?<text>[eE]?'(?:[^']|'')*')|(?<dollar>\$(?<tag>\w*)\$.*?\$\k<tag>\$)|(?<name>"(?:[^"]|"")*")|(?<end>;)|./gs;

/**
 * The statements of a script, in order. Semicolons in comments, texts and names separate none. Comments after the last
 * statement belong to none and are left out. Nested block comments and escapes with a backslash before a quote are not understood:
 * migrations have neither.
 */
export function splitStatements(script: string): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let open: SqlStatement = { text: '', code: '', comments: [] };
  const close = (): void => {
    const code = open.code.replace(/\s+/g, ' ').trim();
    if (code !== '') statements.push({ ...open, text: open.text.trim(), code });
    open = { text: '', code: '', comments: [] };
  };
  for (const { 0: token, groups } of script.matchAll(tokens)) {
    if (groups?.['end'] !== undefined) {
      close();
      continue;
    }
    open.text += token;
    if (groups?.['comment'] !== undefined) open.comments.push(token.slice(2).trim());
    else if (groups?.['block'] !== undefined) open.code += ' ';
    else if (groups?.['text'] !== undefined) open.code += "''";
    else if (groups?.['dollar'] !== undefined) open.code += '$$ $$';
    else open.code += token;
  }
  close();
  return statements;
}
