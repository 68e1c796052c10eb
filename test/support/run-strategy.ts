import type { Rule, Statement, Strategy } from '../../demo/scoring/ast.ts';
import type { EvaluateOptions, TraceEntry } from '../../demo/scoring/evaluation.ts';
import { evaluate } from '../../demo/scoring/interpreter.ts';
import { type Draft, fullStrategy, literal, rule } from '../../demo/scoring/node-drafts.ts';

export const head = { id: '00000000-0000-4000-8000-000000000000', name: 'test', version: 1 };
export const full = (rules: readonly Rule[], fallback?: readonly Draft<Statement>[]) =>
  fullStrategy({ ...head, rules, ...(fallback && { default: fallback }) });
export const always = (...body: Draft<Statement>[]) => rule({ id: 'always', condition: literal(true), body });

/** Runs a strategy on `data`, with a clock that stands still, and gives what came of it, a failure included. */
export function run(strategy: Strategy, data: Record<string, unknown> = {}, options: Partial<EvaluateOptions> = {}) {
  const event = { externalGameId: 'game-1', externalTaskId: 'task-1', externalUserId: 'user-1', data };
  const trace: TraceEntry[] = [];
  const progress = { nodesVisited: -1 };
  try {
    const result = evaluate(strategy, event, { trace, progress, now: () => 0, ...options });
    return { result, trace, progress, error: undefined };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { result: undefined, trace, progress, error };
  }
}

export const summary = (trace: readonly TraceEntry[]) =>
  trace.map(({ type, value, branch }) => `${type}=${JSON.stringify(value)}${branch === undefined ? '' : ` ${branch}`}`);
