import { expect, test } from 'vitest';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { isRedisUrl } from '../../../../shared/platform/redis/redis-url.ts';
import { targetOf } from '../../../support/redis-target.ts';

test.each([
  'redis://host',
  'redis://host/',
  'redis://host:6379/0',
  'rediss://user:p%25%2Fword@host/15',
  'redis://:p%C3%A4ss@[::1]:6379',
  'redis://host?db=3&family=6',
  'redis:///2',
  'REDISS://host',
])('redis url: %j is accepted', (url) => {
  expect(isRedisUrl(url)).toBe(true);
});

const refused = [
  '',
  'host:6379',
  'redis:6379',
  '/tmp/redis.sock',
  'http://s3cret@host',
  'redis://s3cret@host/abc',
  'redis://s3cret@host/1abc',
  'redis://s3cret@host/-1',
  'redis://s3cret@host/1.5',
  'redis://s3cret@host/0/1',
  'redis://s3cret@host/%31',
  'redis://s3cret@host/2147483648',
  'redis://s3cret@host?db=abc',
  'redis://s3cret@host?db=',
  'redis://s3cret%zz@host',
  'redis://:s3cret%@host',
  'redis://user:s3cret%ff@host',
  'redis://s3cret@ho%zzst',
  'redis://s3cret@host:port',
];

test.each(refused)('redis url: %j is refused, and no client is made from it', (url) => {
  expect(isRedisUrl(url)).toBe(false);
  let refusal: unknown;
  try {
    createRedis(targetOf(url), { role: 'producer', name: 'test', logger: null });
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(RangeError);
  expect(String(refusal)).toContain('accepted: a URL that starts with redis:// or rediss://');
  expect(String(refusal)).not.toContain('s3cret');
});

test('redis client: rediss in capitals is TLS, too', () => {
  const { options } = createRedis(targetOf('REDISS://host'), { role: 'producer', name: 'test', logger: null });
  expect(options).toMatchObject({ tls: expect.anything() });
});
