import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createToken } from '../../gateway/access/create-token.ts';
import type { SenderEntry } from '../../gateway/access/tokens-file.ts';
import { createDirectory } from './fixtures.ts';

/** A tokens file, and the tokens of its senders by name. */
export async function aTokensFile(senders: readonly Partial<SenderEntry>[]) {
  const path = join(await createDirectory(), 'tokens.json');
  const write = async (entries: readonly Partial<SenderEntry>[]): Promise<Record<string, string>> => {
    const made = entries.map((entry) =>
      createToken({ name: 'anybody', scopes: ['executions', 'requests'], ...entry } as SenderEntry),
    );
    await writeFile(path, JSON.stringify({ senders: made.map(({ entry }) => entry) }));
    return Object.fromEntries(made.map(({ token, entry }) => [entry.name, token]));
  };
  return { path, write, tokens: await write(senders) };
}
