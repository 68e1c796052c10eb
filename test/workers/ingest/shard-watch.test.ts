import { expect, test } from 'vitest';
import { shardNames } from '../../../shared/contracts/queues.ts';
import { shardsToAskFor } from '../../../workers/ingest/shard-watch.ts';

test('shard watch: all shards are asked for at first, and again every half minute', () => {
  const looks = Array.from({ length: 31 }, (_, look) => shardsToAskFor(['execution-log'], look));
  expect(looks.flatMap((shards, look) => (shards === 256 ? [look] : []))).toEqual([0, 15, 30]);
});

test('shard watch: in between, those that a growing queue would use next, and never more than there can be', () => {
  const ahead = (known: number): number => shardsToAskFor(shardNames('execution-log', known), 1);
  expect([1, 4, 8, 40, 200, 256].map(ahead)).toEqual([9, 12, 16, 80, 256, 256]);
  expect(shardsToAskFor(['execution-log', 'execution-log-31'], 1)).toBe(64);
});
