import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createRunner } from '../support/run-sluice.ts';

/** A command, and what the page says that it prints. */
const printed = /^```\n\$ sluice (capacity [^\n]*)\n(.*?)^```$/gms;

test('docs: the page on scaling shows what sluice capacity prints', async () => {
  const page = await readFile('docs/scaling.md', 'utf8');
  const blocks = [...page.matchAll(printed)] as unknown as [string, string, string][];
  expect(blocks).toHaveLength(3);
  for (const [, command, text] of blocks) {
    const { stdout } = await createRunner({})(...command.split(' '));
    expect(`${stdout.trimEnd()}\n`).toBe(text);
  }
});
