import type { Registry } from 'prom-client';
import type { Config, ConfigGroup } from '../../shared/platform/config/config.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** What every worker reads of the configuration, whatever its role. */
export const commonGroups = ['namespace', 'logLevel', 'redis', 'database', 'worker', 'batch', 'retry'] as const;

/** What the roles read beside that. */
export const ownGroups = {
  'execution-log': [],
  'completed-request': [],
  'health-events': ['health'],
  maintenance: ['retention'],
} as const satisfies Record<string, readonly ConfigGroup[]>;

/** What the worker of one role has of the configuration. */
export type RoleConfig<Own extends ConfigGroup = never> = Pick<Config, (typeof commonGroups)[number] | Own>;

/** Groups that some roles read, and others do not. */
type OwnGroup = (typeof ownGroups)[keyof typeof ownGroups][number];

/** What a role works with; whoever opened it closes it. */
export interface RoleDeps<Own extends ConfigGroup = OwnGroup> {
  config: RoleConfig<Own>;
  database: Database;
  redis: Redis;
  logger: Logger;
  registry: Registry;
  /** this role's share of what the process may have of job data */
  memory: MemoryBudget;
}

/** One kind of work, put together and not begun. */
export interface Role {
  /** records taken and not settled yet */
  readonly heldRecords: number;
  /** Begins. @throws what keeps it from beginning at all, such as a table that is not there */
  start(): Promise<void>;
  /** Rejects when, long after it began, it cannot go on until a person mends something. */
  readonly failed?: Promise<never>;
  /**
   * null while it does its work, else why not, as far as it knows by itself: for /readyz. Before it has begun, what outside of
   * the process it waits for, if that is known
   */
  notReadyReason(): string | null;
  /** Resolves when a server of Redis that it works with answers. @throws when none does. @default the server of its key is asked */
  askRedis?(): Promise<unknown>;
  /** null when it gets on or has a reason not to, else what it hangs on: for /healthz */
  livenessFailure(): string | null;
  /**
   * Takes no more and ends what it has, in `timeoutMs` at most and a moment.
   *
   * @returns whether everything it held was settled in time
   */
  stop(timeoutMs: number): Promise<boolean>;
}
