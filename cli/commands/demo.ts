import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';

interface DemoFlags {
  executions?: number;
  requests: number;
  games: number;
  trace?: string;
  rate: number;
  sampleRate?: number;
  seed: number;
  gateway?: boolean;
  exit?: boolean;
  json?: boolean;
}

/** A quarter, so that a short run shows both sampling and rows; the configured rate takes precedence. */
const demoSampleRate = 0.25;

export function addDemoCommand(program: Command, { environment, output, exitWith }: CommandContext): void {
  program
    .command('demo')
    .description(
      'run the fleet with traffic from an example scoring service, LLM gateway and game runtime manager, then account for every record',
    )
    .option('--executions <n>', 'number of executions (default: 20000, or the whole trace)', wholeNumber({ min: 1 }))
    .addOption(
      new Option('--requests <n>', 'number of model requests, at most as many as the trace has; 0 for none')
        .argParser(wholeNumber({ min: 0 }))
        .default(2_000),
    )
    .addOption(
      new Option('--games <n>', 'number of games that emit health events; 0 for none')
        .argParser(wholeNumber({ min: 0 }))
        .default(200),
    )
    .option(
      '--trace <file>',
      'take executions and requests from a request-arrival trace, a CSV file of TIMESTAMP,ContextTokens,GeneratedTokens',
    )
    .addOption(
      new Option(
        '--rate <n>',
        'mean executions per second; requests and games spread over the same time, and a trace is compressed to this rate',
      )
        .argParser(wholeNumber({ min: 1 }))
        .default(4_000),
    )
    .option(
      '--sample-rate <share>',
      `share of ok runs to keep, 0 to 1 (default: DSL_EXECUTION_LOG_SAMPLE_RATE, or ${demoSampleRate})`,
      share,
    )
    .addOption(
      new Option('--seed <n>', 'random seed; the same seed gives the same events')
        .argParser(wholeNumber({ min: 0 }))
        .default(1),
    )
    .option(
      '--gateway',
      'send every second execution and request through the gateway: by the client for Python if there is a python3, else by fetch',
    )
    .option('--exit', 'stop everything at the end; exit code 1 if the accounts do not add up')
    .option('--json', 'print the accounts as one JSON object on the last line')
    .action(async (flags: DemoFlags) => {
      const asked = untilAskedToStop();
      const stop = new AbortController();
      void asked.then(() => stop.abort());
      const [
        { startLocalSluice },
        { runDemo },
        { chooseEvents },
        { chooseRequests },
        { generateGames },
        { toLines },
        { findPython },
        { say },
      ] = await Promise.all([
        import('../../dev/start.ts'),
        import('../../demo/run.ts'),
        import('../../demo/executions/demo-events.ts'),
        import('../../demo/requests/demo-requests.ts'),
        import('../../demo/games/generate-games.ts'),
        import('../../demo/result-lines.ts'),
        import('../../demo/senders/find-python.ts'),
        import('../../dev/steps.ts'),
      ]);
      const configured =
        (environment['DSL_EXECUTION_LOG_SAMPLE_RATE'] ?? '') === ''
          ? demoSampleRate
          : loadConfig(environment, ['producer']).producer.sampleRate;
      const { rate, seed } = flags;
      const traceFile = flags.trace ?? null;
      const executions = await chooseEvents({
        executions: flags.executions ?? null,
        traceFile,
        perSecond: rate,
        seed,
      });
      const seconds = executions.total / rate;
      const requests =
        flags.requests === 0 ? null : await chooseRequests({ requests: flags.requests, traceFile, seconds, seed });
      const games =
        flags.games === 0
          ? null
          : { count: flags.games, timeline: generateGames({ games: flags.games, seconds, seed }) };
      const sluice = await startLocalSluice(environment);
      const { url } = sluice.fleet.gateway ?? {};
      try {
        const gateway =
          flags.gateway && url
            ? {
                url,
                token: environment['SLUICE_GATEWAY_TOKEN'] || null,
                python: await findPython(environment),
                environment,
              }
            : null;
        const result = await runDemo(
          sluice.config,
          { executions, requests, games, sampleRate: flags.sampleRate ?? configured, seed, gateway },
          stop.signal,
        );
        for (const line of toLines(result)) say(line);
        if (!flags.exit && !stop.signal.aborted) {
          say(`the fleet keeps running. Metrics: ${sluice.fleet.workers[0]?.url}/metrics. Press Ctrl-C to stop it`);
          say(`console: ${sluice.fleet.console?.url}`);
          say(
            'to see the rows: source .sluice/env, then psql "$DATABASE_URL" -c "table strategy_execution_log limit 5"',
          );
          await asked;
        }
        exitWith(result.reconciled ? 0 : 1);
        await sluice.stop();
        if (flags.json) output.json(result);
      } finally {
        await sluice.stop();
      }
    });
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
