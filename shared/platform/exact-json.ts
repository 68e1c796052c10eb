/** In every Node that this runs on, not yet in TypeScript's library. */
const { isRawJSON, rawJSON } = JSON as unknown as {
  rawJSON(source: string): object;
  isRawJSON(value: unknown): boolean;
};

/**
 * Parses JSON without rounding: every number becomes a raw piece of JSON, so that writing the value again gives the digits
 * that were read. A parsed number beyond 2^53 would have lost some.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function parseExactly(text: string): unknown {
  const keepNumber = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value;
  return JSON.parse(text, keepNumber as Parameters<typeof JSON.parse>[1]);
}

/** Whether a value is a number as parseExactly leaves it. */
export function isExactNumber(value: unknown): boolean {
  return isRawJSON(value);
}
