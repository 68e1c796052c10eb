import { readdirSync, readFileSync } from 'node:fs';

/** CPU time by where it was spent, in µs, user and system together. */
export interface CpuTimes {
  /** this process: the producer, and the driver of contenders without workers */
  producer: number;
  /** 0 for contenders without one */
  gateway: number;
  redis: number;
  workers: number;
  /** all its processes, including background processes */
  postgres: number;
}

/** Reads CPU times; null if the system has no /proc. */
export interface CpuMeter {
  read(workerPids: readonly number[], gatewayPids?: readonly number[]): CpuTimes | null;
}

/** Linux counts CPU time in hundredths of a second, whatever the kernel's own clock. */
const tickUs = 10_000;

/** Finds the servers by asking them: each Redis for its process id, PostgreSQL for that of any backend. */
export function createCpuMeter(servers: { backendPid: number; redisPids: readonly number[] }): CpuMeter {
  const postmasterPid = readStat(servers.backendPid)?.parentPid ?? null;
  if (postmasterPid === null) return { read: () => null };
  return {
    read(workerPids, gatewayPids = []) {
      const { user, system } = process.cpuUsage();
      return {
        producer: user + system,
        gateway: cpuUs(gatewayPids),
        redis: cpuUs(servers.redisPids),
        workers: cpuUs(workerPids),
        postgres: cpuUs([postmasterPid, ...childrenOf(postmasterPid)]),
      };
    },
  };
}

/** What was spent between two readings, per row. */
export function cpuPerRow(before: CpuTimes | null, after: CpuTimes | null, rows: number): CpuTimes | null {
  if (before === null || after === null) return null;
  return {
    producer: (after.producer - before.producer) / rows,
    gateway: (after.gateway - before.gateway) / rows,
    redis: (after.redis - before.redis) / rows,
    workers: (after.workers - before.workers) / rows,
    postgres: (after.postgres - before.postgres) / rows,
  };
}

function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (readStat(pid)?.cpuUs ?? 0), 0);
}

function childrenOf(parentPid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readStat(pid)?.parentPid === parentPid);
}

/**
 * @see proc_pid_stat(5): field 4 is the parent, 14 and 15 the process's own user and system time, 16 and 17 those of the
 *   children that it has waited for, which include backends that have ended
 */
function readStat(pid: number): { parentPid: number; cpuUs: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in brackets, and may contain spaces and brackets itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    return { parentPid: field(4), cpuUs: (field(14) + field(15) + field(16) + field(17)) * tickUs };
  } catch {
    return null;
  }
}
