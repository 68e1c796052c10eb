import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeFrame, type SpilledChunk } from './frame.ts';
import { readSegmentFile } from './segment-reader.ts';
import { createSegmentWriter, syncDirectory } from './segment-writer.ts';

/** What to do with a chunk on disk. */
export interface ChunkEdit {
  /** null: nothing of the chunk is left */
  data: string | null;
  /** records that are removed */
  erased: number;
  /** records in which something is blanked */
  blanked: number;
}

/** Decides what happens to the chunks of a segment. */
export interface SegmentEditor {
  /** null: the chunk stays; `newer`: it stays, since it is of a newer version and its content is unknown */
  edit(chunk: SpilledChunk): ChunkEdit | 'newer' | null;
  /** whether bytes that are no intact chunk are to be removed */
  concerns(bytes: Buffer): boolean;
}

/** What was done, or would be done, in segments. */
export interface EditedSegments {
  erased: number;
  blanked: number;
  /** removed bytes that are no intact chunk */
  damagedBytes: number;
  /** segments of a newer version; they stay as they are */
  newer: number;
  /** chunks of a newer version in segments that can be read; they stay as they are */
  newerChunks: number;
}

export function nothingEdited(): EditedSegments {
  return { erased: 0, blanked: 0, damagedBytes: 0, newer: 0, newerChunks: 0 };
}

/** Reads a segment and returns what an editor would do with it. @throws when it cannot be read */
export async function examineSegment(
  { path, bytes }: { path: string; bytes: number },
  editor: SegmentEditor,
): Promise<EditedSegments> {
  const found = nothingEdited();
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
 * Rewrites a segment without what is to be removed, and replaces the old file in one step. The directory must be claimed, so
 * that nobody else reads or writes the segment. A crash leaves the old file, the new one, or both; then chunks are sent twice.
 *
 * @param newPath on the same file system; must not exist
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
