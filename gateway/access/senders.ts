import { timingSafeEqual } from 'node:crypto';
import { hashToken } from './create-token.ts';
import { createQuota, type Quota } from './quota.ts';
import type { Sender } from './sender.ts';
import { type KnownSender, readTokensFile } from './tokens-file.ts';

/** Who may send, by their tokens. */
export interface Senders {
  /** the sender with this token; null if there is none */
  find(token: string): Sender | null;
  quotaOf(sender: Sender): Quota;
  /** Reads the file again. @throws UsageError when it cannot be used; then those from before stay */
  reload(): void;
}

/** @throws UsageError when the file cannot be used */
export function createSenders(path: string): Senders {
  let known: readonly KnownSender[] = readTokensFile(path);
  const quotas = new Map<string, Quota>();
  return {
    find(token) {
      const hash = hashToken(token);
      let found: Sender | null = null;
      // All are compared, each in the same time, so that the time taken reveals nothing about any of them.
      for (const { sender, hashes } of known)
        for (const one of hashes) if (timingSafeEqual(one, hash)) found ??= sender;
      return found;
    },
    quotaOf({ name }) {
      const quota = quotas.get(name) ?? createQuota(() => performance.now());
      quotas.set(name, quota);
      return quota;
    },
    reload() {
      known = readTokensFile(path);
      const names = new Set(known.map(({ sender }) => sender.name));
      for (const name of quotas.keys()) if (!names.has(name)) quotas.delete(name);
    },
  };
}
