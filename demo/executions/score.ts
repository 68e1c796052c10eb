import type { ExecutionRun } from '../../producers/index.ts';
import type { Expression, Rule, Statement, Strategy } from './strategies.ts';

type Data = Readonly<Record<string, unknown>>;
type Score = Pick<ExecutionRun, 'points' | 'caseName'>;

const defaultLimit = { nodes: 1_000, budget: '1000 nodes', code: 'DSL_LIMIT_EXCEEDED' };

/** What takes numbers only, and the type of its node. */
const operators: Record<string, readonly [type: string, apply: (a: number, b: number, c: number) => number | boolean]> =
  {
    '+': ['arith', (a, b) => a + b],
    '-': ['arith', (a, b) => a - b],
    '*': ['arith', (a, b) => a * b],
    '/': ['arith', (a, b) => a / b],
    min: ['arith', (a, b) => Math.min(a, b)],
    max: ['arith', (a, b) => Math.max(a, b)],
    '>': ['compare', (a, b) => a > b],
    '>=': ['compare', (a, b) => a >= b],
    int: ['func_call', (value) => Math.trunc(value)],
    clamp: ['func_call', (value, low, high) => Math.min(Math.max(value, low), high)],
  };

/**
 * Scores an event. The trace gets an entry for each node, called `<parent>.<type>.<index>`: operands before what is made of
 * them, and a rule before what it does.
 *
 * @throws Error with `code` and `nodeId` when the event does not fit the strategy, or the run visits too many nodes
 */
export function score(
  strategy: Strategy,
  event: Data,
  run: Score & Pick<ExecutionRun, 'trace' | 'nodesExecuted'>,
): void {
  const { limit = defaultLimit } = strategy;
  const data: Record<string, unknown> = { ...event };
  let parent: Score = { points: null, caseName: null };
  let visited = 0;
  let isVetoed = false;
  run.nodesExecuted = 0;

  const visit = (id: string): string => {
    if (visited === limit.nodes) throw failure(limit.code, id, `the run needs more than its ${limit.budget}`);
    visited += 1;
    run.nodesExecuted = visited;
    return id;
  };

  const note = <T>(nodeId: string, type: string, value: T, more: { branch?: string; path?: string } = {}): T => {
    run.trace.push({ nodeId, type, value, ...more });
    return value;
  };

  const read = (path: string): unknown => {
    if (path === 'parent.points') return parent.points;
    if (path === 'parent.case_name') return parent.caseName;
    return data[path.slice('data.'.length)] ?? null;
  };

  const evaluate = (node: Expression, place: string, index: number): unknown => {
    const type = typeOfNode(node);
    const id = visit(`${place}.${type}.${index}`);
    if (typeof node !== 'object')
      return type === 'field' ? note(id, type, read(String(node)), { path: String(node) }) : note(id, type, node);
    const [operator, ...operands] = node;
    if (type !== 'and' && type !== 'or') {
      const values = operands.map((operand, at) => evaluate(operand, id, at));
      return note(id, type, apply(operator, values, id));
    }
    const settling = type === 'or';
    const settledAt = operands.findIndex((operand, at) => Boolean(evaluate(operand, id, at)) === settling);
    const isCut = settledAt !== -1 && settledAt < operands.length - 1;
    return note(id, type, settling === (settledAt !== -1), isCut ? { branch: `short_circuit:${settledAt}` } : {});
  };

  /** @returns whether a statement has ended the rules */
  const runBody = (body: readonly Statement[], place: string): boolean =>
    body.some((statement, index) => runStatement(statement, visit(`${place}.${statement[0]}.${index}`)));

  const runStatement = (statement: Statement, id: string): boolean => {
    const [type, argument] = statement;
    if (type === 'return') {
      note(id, type, null, { branch: 'halt' });
      return true;
    }
    if (type === 'veto') {
      isVetoed = true;
      Object.assign(run, { points: 0, caseName: note(id, type, argument, { branch: 'veto' }) });
      return true;
    }
    const value = evaluate(argument, id, 0);
    if (type === 'repeat') {
      const [, , ...body] = statement;
      const rounds = note(id, type, Number(value));
      for (let round = 0; round < rounds; round += 1) if (runBody(body, id)) return true;
      return false;
    }
    if (type === 'assign_points' && typeof value !== 'number')
      throw failure('DSL_ASSIGN_POINTS_NOT_NUMBER', id, `assign_points does not take ${typeName(value)}`);
    note(id, type, value, type === 'assign_points' ? { branch: 'match' } : {});
    if (type === 'set_data') data[statement[2]] = value;
    if (type === 'set_case_name') run.caseName = String(value);
    if (type === 'assign_points' || type === 'set_points') run.points = Number(value);
    if (type === 'assign_points') [, , run.caseName] = statement;
    return type === 'assign_points';
  };

  /** @returns whether a rule has matched */
  const runRules = (rules: readonly Rule[]): boolean => {
    let isMatched = false;
    for (const [id, ...arms] of rules) {
      visit(id);
      const taken = arms.findIndex(
        ([condition], at) => condition === 'else' || evaluate(condition, placeOf(id, at), 0),
      );
      const [condition, ...body] = arms[taken] ?? ['skip'];
      const isElse = condition === 'else' || condition === 'skip';
      note(id, 'rule', !isElse, { branch: isElse ? condition : taken === 0 ? 'match' : `elseif:${taken - 1}` });
      if (runBody(body, isElse ? `${id}.else` : placeOf(id, taken))) return true;
      isMatched ||= !isElse;
    }
    return isMatched;
  };

  if (!runRules(strategy.rules) && strategy.default !== undefined) runBody([strategy.default], 'default');
  if (strategy.extension !== undefined && !isVetoed) {
    parent = scoreByDefault(data);
    Object.assign(run, parent);
    runRules(strategy.extension);
  }
  run.points ??= 0;
}

/**
 * The built-in `default`: 1 point while the user is new, later 3 for being quicker than their own mean and 2 otherwise.
 *
 * @throws Error when `contributions` is no count: a built-in has no node to blame, so this is an unexpected failure
 */
function scoreByDefault({ contributions, minutes, meanMinutes }: Data): Score {
  if (!(Number(contributions) >= 0))
    throw new Error(`built-in default: contributions must be a count, got ${JSON.stringify(contributions)}`);
  if (Number(contributions) < 3) return { points: 1, caseName: 'NEWCOMER' };
  const isQuicker = Number(minutes) < Number(meanMinutes);
  return isQuicker ? { points: 3, caseName: 'QUICKER_THAN_USUAL' } : { points: 2, caseName: 'STEADY' };
}

function typeOfNode(node: Expression): string {
  if (typeof node === 'string') return /^(data|parent)\./.test(node) ? 'field' : 'literal';
  if (typeof node !== 'object') return 'literal';
  const [operator] = node;
  return operators[operator]?.[0] ?? (operator === '==' ? 'compare' : operator);
}

function apply(operator: string, values: readonly unknown[], id: string): unknown {
  const [left, right] = values;
  if (operator === 'not') return !left;
  if (operator === '==') return left === right;
  const [type = '', compute = () => 0] = operators[operator] ?? [];
  if (values.some((value) => typeof value !== 'number'))
    throw failure(
      `DSL_${type.toUpperCase()}_TYPE_MISMATCH`,
      id,
      `${operator} does not take ${values.map(typeName).join(' and ')}`,
    );
  if (operator === '/' && right === 0) throw failure('DSL_ARITH_DIV_BY_ZERO', id, 'division by zero');
  const [a = 0, b = 0, c = 0] = values as readonly number[];
  return compute(a, b, c);
}

/** Where the condition and the body of an arm stand. */
function placeOf(ruleId: string, arm: number): string {
  return arm === 0 ? ruleId : `${ruleId}.elseif.${arm - 1}`;
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

/** A failure of the rule language, by upstream's names. */
function failure(code: string, nodeId: string, message: string): Error {
  return Object.assign(new Error(message), { code, nodeId });
}
