import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

type Route = { view: string; params: URLSearchParams };
const { nextWindow, windowParams } = await pageModule<{
  nextWindow(route: Route, step: 1 | -1): string | null;
  windowParams(route: Route): object;
}>('lib/window.js');
const at = (search: string): Route => ({ view: 'strategies', params: new URLSearchParams(search) });

test('window: one is longer or shorter than another, to the longest and the shortest', () => {
  expect([nextWindow(at(''), 1), nextWindow(at(''), -1)]).toEqual(['7d', '1h']);
  expect([nextWindow(at('window=all'), 1), nextWindow(at('window=1h'), -1)]).toEqual([null, null]);
  expect(nextWindow(at('since=2026-01-01T00:00:00Z'), 1)).toBe('24h');
  expect(nextWindow(at('window=constructor'), 1)).toBe('24h');
});

test('window: a link says it, unless it is between two times, which the address says', () => {
  expect(windowParams(at(''))).toEqual({ window: '24h' });
  expect(windowParams(at('window=30d'))).toEqual({ window: '30d' });
  expect(windowParams(at('until=2026-01-01T00:00:00Z'))).toEqual({});
});
