import { expect, test } from 'vitest';
import { withoutBasePath } from '../../../../console/server/http/base-path.ts';

test.each([
  ['/sluice/api/v1/queues?x=/sluice/', '/api/v1/queues?x=/sluice/'],
  ['/sluice/', '/'],
  ['/sluice', '/'],
  ['/sluice?view=fleet', '/?view=fleet'],
  ['/sluice/sluice/', '/sluice/'],
  ['/sluices/', '/sluices/'],
  ['/healthz', '/healthz'],
  ['/?next=/sluice/', '/?next=/sluice/'],
  ['*', '*'],
])('base path: %s means %s', (url, meant) => {
  expect(withoutBasePath(url, '/sluice')).toBe(meant);
  expect(withoutBasePath(url, '')).toBe(url);
});
