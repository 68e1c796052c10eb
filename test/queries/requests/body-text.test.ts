import { expect, test } from 'vitest';
import { formsOf } from '../../../queries/requests/body-text.ts';

test.each([
  ['plain', ['plain']],
  ['100% _a\\', ['100% _a\\', '100% _a\\\\']],
  ['say "hi"\n', ['say "hi"\n', 'say \\"hi\\"\\n']],
  ['naïve', ['naïve', 'na\\u00efve', 'na\\u00EFve']],
  ['€', ['€', '\\u20ac', '\\u20AC']],
  ['👍', ['👍', '\\ud83d\\udc4d', '\\uD83D\\uDC4D']],
  ['"ü"', ['"ü"', '\\"ü\\"', '\\"\\u00fc\\"', '\\"\\u00FC\\"']],
])('search: %j stands in bodies as %j', (text, forms) => {
  expect(formsOf(text)).toEqual(forms);
});
