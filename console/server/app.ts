import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { NameBook } from '../../names/name-book.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { ConsoleConfig } from './console-groups.ts';
import type { QueueWatch } from './queues/queue-watch.ts';
import type { ShardList } from './queues/shard-list.ts';

/** A server whose routes have zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes need. */
export interface RouteDeps {
  config: ConsoleConfig;
  database: Database;
  redis: Redis;
  queueWatch: QueueWatch;
  shardList: ShardList;
  names: NameBook;
}
