import { expect, test } from 'vitest';
import { offsetArgument } from '../../../cli/commands/health.ts';

test.each([
  ['0-0', '0-0'],
  ['1700000000000-12', '1700000000000-12'],
  ['007-00', '7-0'],
  ['18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551615'],
  ['earliest', 'earliest'],
  ['latest', 'latest'],
])('offset: %j is taken as %s', (text, taken) => {
  expect(offsetArgument(text)).toBe(taken);
});

// What Redis itself would take for an id is no place that was read up to.
test.each(['', ' ', '$', '-', '+', '5', '5-', '5-*', '-1-0', '1-0 ', '(1-0', 'Earliest', '18446744073709551616-0'])(
  'offset: %j is refused',
  (text) => {
    expect(() => offsetArgument(text)).toThrow('complete entry id');
  },
);
