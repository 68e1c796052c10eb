import type { ExtendProgram, FullProgram, Strategy } from './ast.ts';
import { builtIns } from './built-ins.ts';
import type { EvaluateOptions, Evaluation, ScoringInput } from './evaluation.ts';
import { createRun, type Run } from './run.ts';
import { runBody, runRules } from './statements.ts';

/**
 * Scores one event with one strategy. Synchronous, and without side effects except on `options.trace` and `options.progress`,
 * which are filled as far as the run got, even if it fails. The event is not changed.
 *
 * @throws ScoringError if the program fails or exceeds its nodes or its time
 * @throws Error if a built-in parent fails or does not exist; `describeFailure` classifies both
 */
export function evaluate(strategy: Strategy, event: ScoringInput, options: EvaluateOptions): Evaluation {
  const run = createRun(event, strategy.limits, options);
  if (strategy.type === 'DSL_FULL') runFull(run, strategy.program);
  else runExtend(run, strategy.program);
  return {
    points: run.points,
    caseName: run.caseName,
    callbackData: run.callbackData.size === 0 ? null : Object.fromEntries(run.callbackData),
    nodesVisited: run.progress.nodesVisited,
  };
}

function runFull(run: Run, program: FullProgram): void {
  if (runRules(run, program.rules) === 'unmatched') runBody(run, program.default ?? []);
  run.points ??= 0;
}

/** Of the phases, only a veto stops the next one; the parent's result replaces any points given before it. */
function runExtend(run: Run, program: ExtendProgram): void {
  runRules(run, program.preRules);
  if (run.vetoed) return;
  const builtIn = builtIns.get(program.parent);
  if (builtIn === undefined) throw new Error(`there is no built-in strategy ${program.parent}`);
  run.parent = builtIn({ ...run.input, data: { ...run.input.data, ...Object.fromEntries(run.writtenData) } });
  run.points = run.parent.points;
  run.caseName = run.parent.caseName;
  runRules(run, program.postRules);
}
