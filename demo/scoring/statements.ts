import type { Expression, Repeat, Rule, Statement } from './ast.ts';
import { evaluateExpression, holds } from './expressions.ts';
import { typeName } from './operators.ts';
import { type Run, record, visit } from './run.ts';
import { ScoringError, type ScoringErrorCode } from './scoring-error.ts';

/** How a list of rules ended: a statement ended the phase, or it ran to its end with or without a match. */
export type RulesOutcome = 'halted' | 'matched' | 'unmatched';

/** Runs rules in order until a statement ends the phase. A rule whose `else` ran has not matched. */
export function runRules(run: Run, rules: readonly Rule[]): RulesOutcome {
  let outcome: RulesOutcome = 'unmatched';
  for (const rule of rules) {
    visit(run, rule);
    const { branch, body } = chooseArm(run, rule);
    const matched = branch !== 'else' && branch !== 'skip';
    record(run, rule, matched, branch);
    if (runBody(run, body)) return 'halted';
    if (matched) outcome = 'matched';
  }
  return outcome;
}

function chooseArm(run: Run, rule: Rule): { branch: string; body: readonly Statement[] } {
  if (holds(run, rule.condition)) return { branch: 'match', body: rule.body };
  for (const [index, arm] of (rule.elseIf ?? []).entries()) {
    if (holds(run, arm.condition)) return { branch: `elseif:${index}`, body: arm.body };
  }
  return rule.else === undefined ? { branch: 'skip', body: [] } : { branch: 'else', body: rule.else };
}

/** Runs statements in order; true if one of them ended the phase. */
export function runBody(run: Run, body: readonly Statement[]): boolean {
  for (const statement of body) {
    if (runStatement(run, statement)) return true;
  }
  return false;
}

function runStatement(run: Run, node: Statement): boolean {
  visit(run, node);
  switch (node.type) {
    case 'assign_points':
      run.points = evaluateNumber(run, node, node.points, 'DSL_ASSIGN_POINTS_NOT_NUMBER');
      run.caseName = node.caseName;
      record(run, node, run.points, 'match');
      return true;
    case 'set_points':
      run.points = record(run, node, evaluateNumber(run, node, node.points, 'DSL_SET_POINTS_NOT_NUMBER'));
      return false;
    case 'set_case_name':
      run.caseName = record(run, node, evaluateCaseName(run, node, node.caseName));
      return false;
    case 'set_data':
      run.writtenData.set(node.key, record(run, node, evaluateExpression(run, node.value)));
      return false;
    case 'set_callback_data':
      run.callbackData.set(node.key, record(run, node, evaluateExpression(run, node.value)));
      return false;
    case 'veto':
      run.points = 0;
      run.caseName = record(run, node, node.caseName, 'veto');
      run.vetoed = true;
      return true;
    case 'return':
      record(run, node, null, 'halt');
      return true;
    case 'repeat':
      return runRepeat(run, node);
    default:
      throw unknownStatement(node);
  }
}

/** Its entry holds the number of rounds and, like a rule's, precedes the entries of the body. */
function runRepeat(run: Run, node: Repeat): boolean {
  const count = evaluateNumber(run, node, node.count, 'DSL_REPEAT_COUNT_NOT_NUMBER');
  const rounds = record(run, node, Math.max(0, Math.trunc(count)));
  // An empty body evaluates no node, so neither limit would ever stop its rounds.
  if (node.body.length === 0) return false;
  for (let round = 0; round < rounds; round += 1) {
    if (runBody(run, node.body)) return true;
  }
  return false;
}

/** Infinity and NaN, which arithmetic can produce, are refused as well: JSON and scores cannot hold them. */
function evaluateNumber(run: Run, node: Statement, expression: Expression, code: ScoringErrorCode): number {
  const value = evaluateExpression(run, expression);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrongType(code, node, typeof value === 'number' ? String(value) : typeName(value));
}

function evaluateCaseName(run: Run, node: Statement, expression: Expression): string {
  const value = evaluateExpression(run, expression);
  if (typeof value === 'string') return value;
  throw wrongType('DSL_SET_CASE_NAME_NOT_STRING', node, typeName(value));
}

function wrongType(code: ScoringErrorCode, { id, type }: Statement, valueType: string): ScoringError {
  const message = `${type} does not take ${valueType}`;
  return new ScoringError({ code, nodeId: id, message, params: { valueType } });
}

/** Reached only by a program that the compiler has not checked, such as one read from JSON. */
function unknownStatement(node: never): ScoringError {
  const { id, type } = node as { id: string; type: string };
  return new ScoringError({
    code: 'DSL_UNKNOWN_STATEMENT',
    nodeId: id,
    message: `unknown statement ${type}`,
    params: { type },
  });
}
