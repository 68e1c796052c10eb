import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { describeIssues } from '../../shared/contracts/parse-chunk.ts';
import { toError, UsageError } from '../../shared/platform/errors.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import { type Sender, scopes } from './sender.ts';

/** A sender, and SHA-256 of each token that is its own: two while one takes the place of the other. */
export interface KnownSender {
  sender: Sender;
  hashes: readonly Buffer[];
}

const names = z.array(z.string().min(1).max(512)).min(1).max(1_000).nullable().default(null);
const perSecond = z.number().positive().nullable().default(null);

const senderSchema = z.strictObject({
  /** in notes, metrics and logs */
  name: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'accepted: 1 to 64 letters, digits, ., - or _'),
  sha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, 'accepted: SHA-256 of a token in 64 hexadecimal digits'))
    .min(1)
    .max(2),
  scopes: z.array(z.enum(scopes)).min(1),
  realms: names,
  creators: names,
  recordsPerSecond: perSecond,
  bytesPerSecond: perSecond,
});

const fileSchema = z.strictObject({ senders: z.array(senderSchema).min(1).max(10_000) });

/** What a sender is in the file. */
export type SenderEntry = z.input<typeof senderSchema>;

/** @throws UsageError that names the field, when the file could not be used with it */
export function checkEntry(entry: SenderEntry): void {
  const { error } = senderSchema.safeParse(entry);
  if (error !== undefined)
    throw new UsageError(`the entry of the sender is not one for the file: ${describeIssues(error)}`);
}

/** @throws UsageError that names the field and shows no hash, when the file cannot be read or used */
export function readTokensFile(path: string): KnownSender[] {
  const name = `SLUICE_GATEWAY_TOKENS_FILE: ${JSON.stringify(path)}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const { code = 'unknown' } = toError(thrown) as NodeJS.ErrnoException;
    throw new UsageError(`${name} cannot be read (${code}); correct the path, or let this user read the file`);
  }
  const parsed = fileSchema.safeParse(jsonOrNull(text));
  if (!parsed.success)
    throw new UsageError(`${name} is not what the gateway reads: ${describeIssues(parsed.error)}; see docs/gateway.md`);
  const { senders } = parsed.data;
  const twice = findTwice(senders.map((sender) => sender.name));
  if (twice !== null) throw new UsageError(`${name} names the sender ${twice} twice; give each sender one entry`);
  if (findTwice(senders.flatMap(({ sha256 }) => sha256)) !== null)
    throw new UsageError(`${name} has one token twice; each token determines what its bearer may do`);
  return senders.map(({ sha256, ...sender }) => ({
    sender,
    hashes: sha256.map((hash) => Buffer.from(hash, 'hex')),
  }));
}

function findTwice(all: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const one of all) {
    if (seen.has(one)) return one;
    seen.add(one);
  }
  return null;
}
