import { accessSync, constants, statSync } from 'node:fs';

/** The archive directory, as this process sees it. */
export interface ArchiveFacts {
  dir: string;
  /** why nothing can be written there; null if writing is possible */
  problem: string | null;
}

export function readArchiveFacts(dir: string): ArchiveFacts {
  try {
    if (!statSync(dir).isDirectory()) return { dir, problem: 'not a directory' };
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return { dir, problem: null };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
    return { dir, problem: code === 'ENOENT' ? 'the directory does not exist' : `not writable (${code})` };
  }
}
