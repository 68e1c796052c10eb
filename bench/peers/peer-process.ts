import { type Config, loadConfig } from '../../shared/platform/config/config.ts';
import { toError } from '../../shared/platform/errors.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { insertExecutions } from '../../workers/execution-log/store.ts';
import type { PeerMessage } from './peer-workers.ts';

/** What the worker process of every peer does: it stores rows with the statement of Sluice's own workers, and tells so. */
export interface PeerProcess {
  config: Config;
  databaseUrl: string;
  /** Stores the records of a JSON array. */
  store(json: string, records: number): Promise<void>;
  /** Tells the bench about an error, which ends the run. */
  report(error: unknown): void;
  /** Tells the bench that the process is up. It ends with the bench. */
  ready(): void;
}

/** @param statements how many the process runs at once */
export function createPeerProcess(name: string, statements: number): PeerProcess {
  const config = loadConfig(process.env);
  const database = createDatabase({ ...config.database, poolSize: statements }, `bench: ${name}`);
  const send = (message: PeerMessage): void => void process.send?.(message);
  return {
    config,
    databaseUrl: config.database.url ?? '',
    async store(json, records) {
      await insertExecutions(database, json, records);
      send({ stored: records });
    },
    report: (error) => send({ error: toError(error).message }),
    ready() {
      process.once('disconnect', () => process.exit());
      process.send?.('ready');
    },
  };
}
