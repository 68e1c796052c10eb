import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../shared/config.ts';
import { untilAskedToStop } from '../shared/lifecycle.ts';
import type { CommandContext } from './context.ts';

interface DemoFlags {
  executions?: number;
  trace?: string;
  rate: number;
  sampleRate?: number;
  seed: number;
  exit?: boolean;
  json?: boolean;
}

/** A quarter, so that both sampling and rows can be seen in a short run; the configuration's own rate wins. */
const demoSampleRate = 0.25;

export function addDemoCommand(program: Command, { environment, exitWith }: CommandContext): void {
  program
    .command('demo')
    .description(
      'run the fleet with traffic from an example scoring service, and account for every execution at the end',
    )
    .option('--executions <n>', 'how many executions (20000, or all of the trace)', wholeNumber(1))
    .option(
      '--trace <file>',
      'take the events from a request-arrival trace: CSV of TIMESTAMP,ContextTokens,GeneratedTokens',
    )
    .addOption(
      new Option('--rate <n>', 'mean executions per second; a trace is compressed to it')
        .argParser(wholeNumber(1))
        .default(4_000),
    )
    .option(
      '--sample-rate <share>',
      `share of ok runs to keep, 0 to 1 (DSL_EXECUTION_LOG_SAMPLE_RATE, or ${demoSampleRate})`,
      share,
    )
    .addOption(new Option('--seed <n>', 'same seed, same events').argParser(wholeNumber(0)).default(1))
    .option('--exit', 'stop everything when done; exit code 1 when the accounts do not add up')
    .option('--json', 'print the accounts as one JSON object, as the last line')
    .action(async (flags: DemoFlags) => {
      const asked = untilAskedToStop();
      const stop = new AbortController();
      void asked.then(() => stop.abort());
      const [{ startLocalSluice }, { runDemo }, { chooseEvents }, { say }] = await Promise.all([
        import('../local/start.ts'),
        import('../local/demo/run.ts'),
        import('../local/demo/demo-events.ts'),
        import('../local/steps.ts'),
      ]);
      const configured =
        environment['DSL_EXECUTION_LOG_SAMPLE_RATE'] === undefined
          ? demoSampleRate
          : loadConfig(environment).producer.sampleRate;
      const events = await chooseEvents({
        executions: flags.executions ?? null,
        traceFile: flags.trace ?? null,
        perSecond: flags.rate,
        seed: flags.seed,
      });
      const sluice = await startLocalSluice(environment);
      try {
        const result = await runDemo(
          sluice.config,
          events,
          { sampleRate: flags.sampleRate ?? configured },
          stop.signal,
        );
        const { sent, stored, sampledOut, dropped, dead, inFlight, unaccounted, reconciled, seconds } = result;
        say(
          `sent ${sent} = stored ${stored} + sampled out ${sampledOut} + dropped ${dropped} + dead ${dead} + in flight ${inFlight}`,
        );
        say(
          reconciled
            ? `the accounts add up, after ${seconds} s`
            : `the accounts do NOT add up: ${unaccounted} unaccounted for`,
        );
        if (!flags.exit && !stop.signal.aborted) {
          say(`the fleet goes on: ${sluice.fleet.workers[0]?.url}/metrics. Ctrl-C stops it`);
          say('the rows: source .sluice/env, then psql "$DATABASE_URL" -c "table strategy_execution_log limit 5"');
          await asked;
        }
        exitWith(reconciled ? 0 : 1);
        await sluice.stop();
        if (flags.json) console.log(JSON.stringify(result));
      } finally {
        await sluice.stop();
      }
    });
}

function wholeNumber(min: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It must be a whole number of at least ${min}.`);
  };
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
