import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeFrame, type SpilledChunk } from './frame.ts';
import { readSegmentFile } from './segment-reader.ts';
import { createSegmentWriter, syncDirectory } from './segment-writer.ts';

/** What is to become of a chunk on disk. */
export interface ChunkEdit {
  /** null: nothing of it is left */
  data: string | null;
  /** records that are taken out */
  erased: number;
  /** records in which something is blanked */
  blanked: number;
}

/** Decides about the chunks of a segment. */
export interface SegmentEditor {
  /** null: it stays as it is; `newer`: it does, too, and what is in it cannot be told */
  edit(chunk: SpilledChunk): ChunkEdit | 'newer' | null;
  /** whether bytes that are no intact chunk are to go; nobody can read them as one */
  concerns(bytes: Buffer): boolean;
}

/** What was done, or is to be done, in segments. */
export interface EditedSegments {
  erased: number;
  blanked: number;
  /** bytes that are no intact chunk, and were to go */
  damagedBytes: number;
  /** segments of a newer version, which are left as they are */
  newer: number;
  /** chunks of a newer version in segments that can be read, which are left as they are */
  newerChunks: number;
}

/** What an editor would do with a segment; it is only read. @throws when it cannot be read */
export async function examineSegment(
  { path, bytes }: { path: string; bytes: number },
  editor: SegmentEditor,
): Promise<EditedSegments> {
  const found: EditedSegments = { erased: 0, blanked: 0, damagedBytes: 0, newer: 0, newerChunks: 0 };
  let damagedBytes = 0;
  for await (const part of readSegmentFile(path, bytes)) {
    if (part.kind === 'newer') found.newer += 1;
    if (part.kind === 'corrupt') damagedBytes += part.bytes;
    if (part.kind !== 'chunk') continue;
    const edit = editor.edit(part.chunk);
    if (edit === 'newer') found.newerChunks += 1;
    else if (edit !== null) {
      found.erased += edit.erased;
      found.blanked += edit.blanked;
    }
  }
  if (damagedBytes > 0 && editor.concerns(await readFile(path))) found.damagedBytes = damagedBytes;
  return found;
}

/**
 * Writes a segment anew without what is to go, and puts it in the old one's place in one step. Only for a segment that nobody
 * writes to or reads: it is of a directory that was claimed. A crash leaves the old one, the new one, or both, and chunks may
 * come twice.
 *
 * @param newPath of a segment of the same file system, which does not exist
 */
export async function editSegment(
  { path, bytes }: { path: string; bytes: number },
  newPath: string,
  editor: SegmentEditor,
): Promise<void> {
  const writer = await createSegmentWriter({
    path: newPath,
    fsyncMs: 0,
    onSyncFailed: (error) => {
      throw error;
    },
  });
  let chunks = 0;
  for await (const part of readSegmentFile(path, bytes)) {
    if (part.kind !== 'chunk') continue;
    const edited = applyEdit(part.chunk, editor);
    if (edited === null) continue;
    chunks += 1;
    await writer.write(encodeFrame(edited), edited.records);
  }
  await writer.keep();
  await writer.close({ isOurs: true });
  if (chunks === 0) {
    await rm(newPath);
    await rm(path);
  } else {
    await rename(newPath, path);
  }
  await syncDirectory(dirname(path));
}

function applyEdit(chunk: SpilledChunk, editor: SegmentEditor): SpilledChunk | null {
  const edit = editor.edit(chunk);
  if (edit === null || edit === 'newer') return chunk;
  const { data, erased } = edit;
  return data === null ? null : { ...chunk, data, records: chunk.records - erased };
}
