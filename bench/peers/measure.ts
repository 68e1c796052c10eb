import { insertExecutions } from '../../workers/execution-log/store.ts';
import { createCopy } from '../contenders/copy.ts';
import { createSluice } from '../contenders/sluice.ts';
import { createStatement } from '../contenders/statement.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { type ContenderResult, measureRounds } from '../rounds.ts';
import { createRows, type Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { createCoalescing } from './coalescing.ts';
import { createGraphileWorker } from './graphile-worker.ts';
import { installPeers, type PeerPackage } from './packages.ts';
import { createPgBoss } from './pg-boss.ts';

/** Sluice beside the queues of others. */
export interface PeersResult {
  environment: Environment;
  packages: PeerPackage[];
  meanBytes: number;
  contenders: Record<
    'sluiceOne' | 'sluiceTwo' | 'graphileWorker' | 'pgBoss' | 'coalescing' | 'insertStatement' | 'copy',
    ContenderResult
  >;
}

/** @throws Error if a contender lost a row or stored one too many: then no figure counts */
export async function measurePeers(testbed: Testbed, count: number): Promise<PeersResult> {
  const packages = await installPeers(testbed.environment);
  const rows = createRows(count, testbed.config.producer);
  return {
    environment: readEnvironment(testbed),
    packages,
    meanBytes: rows.meanBytes,
    contenders: await measureRounds(testbed, testbed, rows, {
      sluiceOne: await createSluice(testbed, { workers: 1 }),
      sluiceTwo: await createSluice(testbed, { workers: 2 }),
      graphileWorker: await createGraphileWorker(testbed),
      pgBoss: await createPgBoss(testbed),
      coalescing: await createCoalescing(testbed),
      insertStatement: createStatement<Rows>(testbed, 'the insert statement', insertExecutions),
      copy: await createCopy(testbed, rows),
    }),
  };
}
