import { availableParallelism, cpus } from 'node:os';
import type { Testbed } from './testbed.ts';

/** What figures were measured on. */
export interface Environment {
  cores: number;
  cpu: string;
  node: string;
  postgres: string;
  redis: string;
}

export function readEnvironment({ versions }: Pick<Testbed, 'versions'>): Environment {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    ...versions,
  };
}

/** As a line for people. */
export function environmentLine({ cores, cpu, node, postgres, redis }: Environment): string {
  return `${cores} cores (${cpu}), Node ${node}, PostgreSQL ${postgres} with fsync, Redis ${redis} with appendfsync everysec`;
}
