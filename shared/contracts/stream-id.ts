/** The position before every entry of a stream. */
export const firstStreamId = '0-0';

const maxPart = 2n ** 64n - 1n;

/** Whether a text is a complete stream entry id, `<milliseconds>-<sequence>`, two unsigned 64-bit numbers. */
export function isStreamId(text: string): boolean {
  const parts = /^(\d{1,20})-(\d{1,20})$/.exec(text);
  return parts?.slice(1).every((part) => BigInt(part) <= maxPart) ?? false;
}

/** Negative if `a` comes before `b`, 0 if they are equal, positive if it comes after. */
export function compareStreamIds(a: string, b: string): number {
  const [aMs = '', aSequence = ''] = a.split('-');
  const [bMs = '', bSequence = ''] = b.split('-');
  return compareDecimals(aMs, bMs) || compareDecimals(aSequence, bSequence);
}

/** The server's clock when the entry was added, in ms, unless the producer chose the id. */
export function streamIdMs(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

function compareDecimals(a: string, b: string): number {
  // Redis writes no leading zeros, but people may.
  const [left, right] = a.length < 16 && b.length < 16 ? [Number(a), Number(b)] : [BigInt(a), BigInt(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}
