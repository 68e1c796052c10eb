import { say } from '../local/steps.ts';
import { toError, UsageError } from '../shared/errors.ts';
import { untilAskedToStop } from '../shared/lifecycle.ts';
import { readOptions, usage } from './options.ts';
import { toReport } from './report.ts';
import { runBench } from './run.ts';
import { openStage } from './stage.ts';

/** Exit codes: 0 measured, bars missed or not; 1 failed, as when a contender lost a row; 2 called wrongly; 130 Ctrl-C. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    console.log(usage);
    return 0;
  }
  const asked = untilAskedToStop();
  const stage = await openStage(process.env);
  try {
    const figures = await Promise.race([runBench(stage, options), asked.then(() => null)]);
    if (figures === null) {
      say('stopping');
      return 130;
    }
    console.log(options.json ? JSON.stringify(figures) : toReport(figures));
    return 0;
  } finally {
    await stage.close();
  }
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  say(toError(error).message);
  process.exit(error instanceof UsageError ? 2 : 1);
}
