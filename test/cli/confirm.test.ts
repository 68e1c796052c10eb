import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { confirm } from '../../cli/confirm.ts';
import { UsageError } from '../../shared/platform/errors.ts';

/** What a person at a terminal types; null ends the input without an answer. */
function aTerminal(typed: string | null, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  input.end(typed === null ? '' : `${typed}\n`);
  return { terminal: { input, output }, shown: () => String(output.read() ?? '') };
}

test.each([
  ['yes', true],
  [' YES ', true],
  ['y', false],
  ['', false],
  ['no', false],
  ['yes please', false],
  [null, false],
])('confirm: %j means %s', async (typed, agreed) => {
  const { terminal, shown } = aTerminal(typed);
  expect(await confirm('Erase "a\u001b[2J"?', { yes: false, terminal })).toBe(agreed);
  expect(shown()).toContain('Erase "a\\x1b[2J"? Type yes: ');
});

test('confirm: with --yes nobody is asked; without a terminal it is a mistake of the call', async () => {
  const { terminal, shown } = aTerminal('no', false);
  expect(await confirm('Erase?', { yes: true, terminal })).toBe(true);
  await expect(confirm('Erase?', { yes: false, terminal })).rejects.toThrow(UsageError);
  expect(shown()).toBe('');
});
