import { findJsonElements, findJsonMembers } from '../../shared/platform/json-members.ts';

/**
 * The texts of the records in a JSON list, cut out of it as they are: parsing a batch to write it again would take many
 * times its size, and round numbers beyond 2^53. They are slices: for as long as one is kept, the whole text is.
 *
 * @throws RangeError when the text is no JSON list, or is nested too deeply to be followed
 */
export function recordTexts(list: string): string[] {
  const records = findJsonElements(list);
  if (records === null) throw new RangeError('is no list of records, or is nested too deeply');
  return records.map(({ start, end }) => list.slice(start, end));
}

/** The texts of a chunk's records, by the chunk's own text. @throws RangeError as recordTexts does */
export function chunkRecordTexts(chunk: string): string[] {
  const records = findJsonMembers(chunk)?.find(({ key }) => key === 'records');
  if (records === undefined) throw new RangeError('is no chunk, or is nested too deeply');
  return recordTexts(chunk.slice(records.value, records.end));
}

/**
 * The list of a chunk's records, cut out of the chunk's text without a look at what is in it: with large records everything
 * else would cost a worker more than all that it does besides. Null when the records are not last, the header is not
 * flat, or the text has spaces that JSON.stringify would not write: then it takes more than a cut.
 *
 * @param chunk what a parser makes of the text, which has one list of records
 */
export function cutRecordList(text: string, chunk: object): string | null {
  const { records: _records, ...header } = chunk as { records?: unknown };
  // The header that the contract knows is flat, but for lists of lists; of any other, writing it might go too deep.
  if (Object.values(header).some((value) => !isFlat(value, 2))) return null;
  const before = `${JSON.stringify(header).slice(0, -1)},"records":`;
  const areLast = Object.keys(chunk).at(-1) === 'records' && text.startsWith(`${before}[`) && text.endsWith(']}');
  return areLast ? text.slice(before.length, -1) : null;
}

/** Whether a value of JSON has at most so many lists within each other, and no object. */
function isFlat(value: unknown, lists: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return lists > 0 && Array.isArray(value) && value.every((one) => isFlat(one, lists - 1));
}
