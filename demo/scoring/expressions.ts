import type { Expression, Field, Logic } from './ast.ts';
import { applyArith, applyCompare, callFunction } from './operators.ts';
import { type Run, record, visit } from './run.ts';
import { ScoringError } from './scoring-error.ts';

/**
 * Evaluates an expression, left to right, tracing each node once it has its value.
 * @throws ScoringError for the errors of the nodes below it
 */
export function evaluateExpression(run: Run, node: Expression): unknown {
  visit(run, node);
  switch (node.type) {
    case 'literal':
      return record(run, node, node.value);
    case 'field':
      return record(run, node, readField(run, node));
    case 'arith': {
      const left = evaluateExpression(run, node.left);
      const right = evaluateExpression(run, node.right);
      return record(run, node, applyArith(node, left, right));
    }
    case 'compare': {
      const left = evaluateExpression(run, node.left);
      const right = evaluateExpression(run, node.right);
      return record(run, node, applyCompare(node, left, right));
    }
    case 'and':
    case 'or':
      return evaluateLogic(run, node);
    case 'not':
      return record(run, node, !holds(run, node.arg));
    case 'func_call': {
      const args = node.args.map((arg) => evaluateExpression(run, arg));
      return record(run, node, callFunction(node, args));
    }
    default:
      throw unknownExpression(node);
  }
}

/** Evaluates a condition: any expression is allowed, and JavaScript's truthiness decides. */
export function holds(run: Run, condition: Expression): boolean {
  return Boolean(evaluateExpression(run, condition));
}

/** An argument that settles the result ends the evaluation; if arguments are left over, the branch names its index. */
function evaluateLogic(run: Run, node: Logic): boolean {
  const settling = node.type === 'or';
  for (const [index, arg] of node.args.entries()) {
    if (holds(run, arg) === settling) {
      const isLast = index === node.args.length - 1;
      return record(run, node, settling, isLast ? undefined : `short_circuit:${index}`);
    }
  }
  return record(run, node, !settling);
}

function readField(run: Run, { id, path }: Field): unknown {
  if (path.startsWith('data.')) return readData(run, path.slice('data.'.length));
  switch (path) {
    case 'externalGameId':
    case 'externalTaskId':
    case 'externalUserId':
      return run.input[path];
    case 'parent.points':
      if (run.parent !== null) return run.parent.points;
      break;
    case 'parent.case_name':
      if (run.parent !== null) return run.parent.caseName;
      break;
  }
  throw new ScoringError({
    code: 'DSL_FIELD_NOT_PRECOMPUTED',
    nodeId: id,
    message: `there is no value for ${path} here`,
    params: { path },
  });
}

function readData({ input, writtenData }: Run, key: string): unknown {
  if (writtenData.has(key)) return writtenData.get(key);
  return Object.hasOwn(input.data, key) ? (input.data[key] ?? null) : null;
}

/** Reached only by a program that the compiler has not checked, such as one read from JSON. */
function unknownExpression(node: never): ScoringError {
  const { id, type } = node as { id: string; type: string };
  return new ScoringError({
    code: 'DSL_UNKNOWN_EXPRESSION',
    nodeId: id,
    message: `unknown expression ${type}`,
    params: { type },
  });
}
