import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

interface Route {
  view: string;
  params: URLSearchParams;
}
const { readRoute, hrefTo, hrefWith, toLink } = await pageModule<{
  readRoute(location: URL): Route;
  hrefTo(from: Route, view: string, params?: object): string;
  hrefWith(from: Route, changes: object): string;
  toLink(route: Route, defaults: object): string;
}>('lib/route.js');

const at = (search: string): Route => readRoute(new URL(`http://127.0.0.1/${search}`));

test('route: the address says the view and its parameters; without any it is the list', () => {
  expect(at('').view).toBe('strategies');
  expect(at('?view=strategy&id=a%20b').params.get('id')).toBe('a b');
});

test('route: another view keeps the window and whether it is live, and nothing else', () => {
  const from = at('?view=strategy&id=x&window=7d&live=off&status=timeout&execution=e');
  expect(hrefTo(from, 'compare', { a: 'x' })).toBe('./?view=compare&a=x&window=7d&live=off');
  expect(hrefTo(from, 'strategies')).toBe('./?window=7d&live=off');
});

test('route: a change keeps everything else, and null takes away', () => {
  const from = at('?view=strategy&id=x&status=timeout&cursor=c');
  expect(hrefWith(from, { status: 'limit', cursor: null })).toBe('./?view=strategy&id=x&status=limit');
});

test('route: whatever an id is, it comes back as it was', () => {
  const id = '<b>&view=fleet#?/%00"\'';
  const url = new URL(hrefTo(at(''), 'strategy', { id }), 'http://127.0.0.1/sluice/?view=fleet');
  expect([url.pathname, readRoute(url).params.get('id')]).toEqual(['/sluice/', id]);
});

test('route: a link says what is shown by default, and leaves what the address says as it is', () => {
  expect(toLink(at('?find=a'), { window: '24h' })).toBe('./?view=strategies&window=24h&find=a');
  expect(toLink(at('?view=fleet&window=7d'), { window: '24h' })).toBe('./?view=fleet&window=7d');
});
