import type { PlaceRange } from '../../shared/contracts/chunk.ts';
import { readCompressedChunk } from '../../shared/contracts/compressed-chunk.ts';
import { unwrapChunkAtOnce, wrapChunkAtOnce } from '../../shared/platform/chunk-compression.ts';
import { findJsonElements, findJsonMembers } from '../../shared/platform/json-members.ts';

/** A chunk as it is sent. */
export interface SendableChunk {
  /** the job id */
  id: string;
  /** the job data, as JSON */
  data: string;
}

/** A chunk that can be split between its records. */
export interface ChunkParts {
  /**
   * Returns the records from one index up to another (exclusive) as a chunk. Its id is derived from the indexes. What its head says
   * to the ledger is of the whole chunk, and `from` is its place there.
   */
  part(from: number, until: number): SendableChunk;
}

/**
 * Splits a chunk's text between its records, whose texts stay as they are. The parts of a compressed chunk are compressed, too.
 * Null if that is not possible.
 */
export function takeApart({ id, data: sent }: SendableChunk): ChunkParts | null {
  const unwrapped = unwrapChunkAtOnce(sent);
  if (unwrapped.kind === 'damaged') return null;
  const data = unwrapped.text;
  const compressed = readCompressedChunk(sent);
  const members = findJsonMembers(data) ?? [];
  const memberOf = (name: string) => members.find(({ key }) => key === name);
  const list = memberOf('records');
  const listAt = list === undefined ? -1 : data.indexOf('[', list.start + '"records"'.length);
  const records = list === undefined || listAt === -1 ? null : findJsonElements(data.slice(listAt, list.end));
  if (list === undefined || records === null) return null;
  const erased = memberOf('erased');
  const gaps = (erased === undefined ? [] : JSON.parse(data.slice(erased.value, erased.end))) as readonly PlaceRange[];
  const fromOf = (index: number): string => (memberOf('of') === undefined ? '' : `"from":${placeOf(index, gaps)},`);
  return {
    part(from, until) {
      const [first, last] = [records[from], records[until - 1]];
      if (first === undefined || last === undefined)
        throw new RangeError(`the chunk has no records ${from} to ${until}`);
      const texts = data.slice(listAt + first.start, listAt + last.end);
      const part = `${data.slice(0, list.start)}${fromOf(from)}${data.slice(list.start, listAt)}[${texts}]${data.slice(list.end)}`;
      return {
        id: `${id}.${from}-${until}`,
        data: compressed === null ? part : wrapChunkAtOnce(part, until - from, compressed.requestId),
      };
    },
  };
}

/** The place in the whole chunk of a record that is still there. @param erased the places of those that are not, ascending */
function placeOf(index: number, erased: readonly PlaceRange[]): number {
  return erased.reduce((place, [from, until]) => (from <= place ? place + until - from : place), index);
}
