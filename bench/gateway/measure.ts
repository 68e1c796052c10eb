import type { Contender } from '../contenders/contender.ts';
import { createSluice, type SluiceContender } from '../contenders/sluice.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { type ContenderResult, measureRounds } from '../rounds.ts';
import { createRows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import { type CrowdMemory, measureCrowd } from './crowd-memory.ts';
import { type BodyEncoding, createPoster } from './post-bodies.ts';

/** The way through the gateway beside that by the SDK. */
export interface GatewayResult {
  environment: Environment;
  meanBytes: number;
  contenders: Record<'sdk' | BodyEncoding, ContenderResult>;
  /** null: not watched */
  memory: CrowdMemory | null;
}

/** @throws Error if a row was lost or stored twice: then no figure counts */
export async function measureGateway(
  testbed: Testbed,
  { rows: count, minutes }: { rows: number; minutes: number },
): Promise<GatewayResult> {
  const rows = createRows(count, testbed.config.producer);
  const fleet = await createSluice(testbed, { workers: 2, gateway: true });
  const contenders = await measureRounds(testbed, testbed, rows, {
    sdk: { ...fleet, name: 'by the SDK' },
    identity: throughGateway(testbed, fleet, 'identity'),
    gzip: throughGateway(testbed, fleet, 'gzip'),
  });
  return {
    environment: readEnvironment(testbed),
    meanBytes: rows.meanBytes,
    contenders,
    memory:
      minutes === 0
        ? null
        : await measureCrowd(testbed, fleet, { rowsPerSecond: contenders.identity.rowsPerSecond / 2, minutes }),
  };
}

function throughGateway(testbed: Testbed, fleet: SluiceContender, encoding: BodyEncoding): Contender {
  const { url = '', pids = () => [] } = fleet.gateway ?? {};
  const poster = createPoster({ url, encoding, traceLimit: testbed.config.producer.traceLimit });
  testbed.onClose(`connections (${encoding})`, async () => poster.close());
  return {
    name: `through the gateway, ${encoding}`,
    share: 1,
    workerPids: fleet.workerPids,
    gatewayPids: pids,
    async store(rows, count) {
      await poster.postAll(rows, count);
      await fleet.settle();
    },
  };
}
