import { findJsonElements, findJsonMembers } from '../../shared/platform/json-members.ts';

/** A chunk as it is sent. */
export interface SendableChunk {
  /** the job id */
  id: string;
  /** the job data, as JSON */
  data: string;
}

/** A chunk that is cut between its records. */
export interface ChunkParts {
  /** The records from one index to before another, as a chunk whose id says which. The same ones are the same chunk. */
  part(from: number, until: number): SendableChunk;
}

/** Cuts a chunk's text between its records, each of which stays the very text that it is. Null when it cannot be. */
export function takeApart({ id, data }: SendableChunk): ChunkParts | null {
  const list = findJsonMembers(data)?.find(({ key }) => key === 'records');
  const listAt = list === undefined ? -1 : data.indexOf('[', list.start + '"records"'.length);
  const records = list === undefined || listAt === -1 ? null : findJsonElements(data.slice(listAt, list.end));
  if (list === undefined || records === null) return null;
  return {
    part(from, until) {
      const [first, last] = [records[from], records[until - 1]];
      if (first === undefined || last === undefined)
        throw new RangeError(`the chunk has no records ${from} to ${until}`);
      const texts = data.slice(listAt + first.start, listAt + last.end);
      return { id: `${id}.${from}-${until}`, data: `${data.slice(0, listAt)}[${texts}]${data.slice(list.end)}` };
    },
  };
}
