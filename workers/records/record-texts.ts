import { findJsonElements, findJsonMembers } from '../../shared/json-members.ts';

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
