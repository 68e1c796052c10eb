import { say } from '../dev/steps.ts';
import { toError, UsageError } from '../shared/platform/errors.ts';
import { untilAskedToStop } from '../shared/platform/lifecycle.ts';
import { toFaultReport } from './faults/report.ts';
import { isWhole, runFaults } from './faults/run.ts';
import { measureGateway } from './gateway/measure.ts';
import { gatewayThresholds, toGatewayReport } from './gateway/report.ts';
import { measureGrowth } from './growth/measure.ts';
import { growthThresholds, toGrowthReport } from './growth/report.ts';
import { type BenchOptions, readOptions, usage } from './options.ts';
import { measurePeers } from './peers/measure.ts';
import { peersThresholds, toPeersReport } from './peers/report.ts';
import { measureReads } from './reads/measure.ts';
import { readsThresholds, toReadsReport } from './reads/report.ts';
import { toReport } from './report.ts';
import { runBench } from './run.ts';
import { measureScale } from './scale/measure.ts';
import { toScaleReport } from './scale/report.ts';
import { openTestbed, type Testbed } from './testbed.ts';

/** Exit codes: 0 measured, even if a threshold is missed; 1 failed: a lost row or a wasteful plan; 2 incorrect usage; 130 Ctrl-C. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    console.log(usage);
    return 0;
  }
  const asked = untilAskedToStop();
  const testbed = await openTestbed(process.env);
  try {
    const code = await Promise.race([measure(testbed, options), asked.then(() => null)]);
    if (code === null) say('stopping');
    return code ?? 130;
  } finally {
    await testbed.close();
  }
}

async function measure(testbed: Testbed, options: BenchOptions): Promise<number> {
  if (options.faults !== null) {
    const results = await runFaults(testbed, options.faults);
    console.log(options.json ? JSON.stringify({ faults: results }) : toFaultReport(results));
    return isWhole(results) ? 0 : 1;
  }
  if (options.reads !== null) {
    const reads = await measureReads(testbed, options.reads.rows);
    console.log(options.json ? JSON.stringify({ reads, thresholds: readsThresholds(reads) }) : toReadsReport(reads));
    return reads.plans.every(({ holds }) => holds) ? 0 : 1;
  }
  if (options.scale) {
    const scale = await measureScale(testbed, options.rows);
    console.log(options.json ? JSON.stringify({ scale }) : toScaleReport(scale));
    return 0;
  }
  if (options.peers) {
    const peers = await measurePeers(testbed, options.rows);
    console.log(options.json ? JSON.stringify({ peers, thresholds: peersThresholds(peers) }) : toPeersReport(peers));
    return 0;
  }
  if (options.growth !== null) {
    const growth = await measureGrowth(testbed, options.growth);
    console.log(
      options.json ? JSON.stringify({ growth, thresholds: growthThresholds(growth) }) : toGrowthReport(growth),
    );
    return 0;
  }
  if (options.gateway !== null) {
    const gateway = await measureGateway(testbed, { rows: options.rows, ...options.gateway });
    console.log(
      options.json ? JSON.stringify({ gateway, thresholds: gatewayThresholds(gateway) }) : toGatewayReport(gateway),
    );
    return 0;
  }
  const figures = await runBench(testbed, options);
  console.log(options.json ? JSON.stringify(figures) : toReport(figures));
  return 0;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  say(toError(error).message);
  process.exit(error instanceof UsageError ? 2 : 1);
}
