import type { Arith, Compare, FuncCall } from './ast.ts';
import { ScoringError } from './scoring-error.ts';

/** The name of a value's type in error params: `null` and `list` are distinguished from `object`. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

/**
 * Applies an arithmetic operator to two numbers; a boolean is not a number here.
 * @throws ScoringError DSL_ARITH_TYPE_MISMATCH, DSL_ARITH_DIV_BY_ZERO, DSL_ARITH_OP_NOT_ALLOWED
 */
export function applyArith(node: Arith, left: unknown, right: unknown): number {
  const { op, id: nodeId } = node;
  if (typeof left !== 'number' || typeof right !== 'number') {
    throw operandMismatch('DSL_ARITH_TYPE_MISMATCH', node, left, right);
  }
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new ScoringError({ code: 'DSL_ARITH_DIV_BY_ZERO', nodeId, message: 'division by zero' });
      return left / right;
    case 'min':
      return Math.min(left, right);
    case 'max':
      return Math.max(left, right);
    default:
      throw notAllowed('DSL_ARITH_OP_NOT_ALLOWED', nodeId, op);
  }
}

/**
 * Compares two values. Equality accepts any two and does not convert; an order needs two numbers or two strings.
 * @throws ScoringError DSL_COMPARE_TYPE_MISMATCH, DSL_COMPARE_OP_NOT_ALLOWED
 */
export function applyCompare(node: Compare, left: unknown, right: unknown): boolean {
  if (node.op === '==') return left === right;
  if (node.op === '!=') return left !== right;
  if (typeof left === 'number' && typeof right === 'number') return isInOrder(node, left, right);
  if (typeof left === 'string' && typeof right === 'string') return isInOrder(node, left, right);
  throw operandMismatch('DSL_COMPARE_TYPE_MISMATCH', node, left, right);
}

function isInOrder<T extends number | string>({ op, id }: Compare, left: T, right: T): boolean {
  switch (op) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw notAllowed('DSL_COMPARE_OP_NOT_ALLOWED', id, op);
  }
}

/**
 * Calls a built-in function: `int` truncates a number or parses a whole number from text,
 * `clamp` keeps a number within two others.
 * @throws ScoringError DSL_FUNC_NAME_NOT_ALLOWED, DSL_FUNC_ARITY_MISMATCH, DSL_FUNC_CALL_FAILED
 */
export function callFunction(node: FuncCall, args: readonly unknown[]): number {
  switch (node.name) {
    case 'int': {
      const [value] = expectArity(node, args, 1);
      if (typeof value === 'number') return Math.trunc(value);
      if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return Number(value);
      throw callFailed(node, args);
    }
    case 'clamp': {
      const [value, low, high] = expectArity(node, args, 3);
      if (typeof value === 'number' && typeof low === 'number' && typeof high === 'number') {
        return Math.min(Math.max(value, low), high);
      }
      throw callFailed(node, args);
    }
    default:
      throw notAllowed('DSL_FUNC_NAME_NOT_ALLOWED', node.id, node.name);
  }
}

function expectArity({ id, name }: FuncCall, args: readonly unknown[], expected: number): readonly unknown[] {
  if (args.length === expected) return args;
  throw new ScoringError({
    code: 'DSL_FUNC_ARITY_MISMATCH',
    nodeId: id,
    message: `${name} takes ${expected} argument(s), not ${args.length}`,
    params: { name, expected, actual: args.length },
  });
}

function operandMismatch(
  code: 'DSL_ARITH_TYPE_MISMATCH' | 'DSL_COMPARE_TYPE_MISMATCH',
  { id, op }: Arith | Compare,
  left: unknown,
  right: unknown,
): ScoringError {
  const params = { op, leftType: typeName(left), rightType: typeName(right) };
  return new ScoringError({
    code,
    nodeId: id,
    message: `${op} does not take ${params.leftType} and ${params.rightType}`,
    params,
  });
}

function notAllowed(
  code: 'DSL_ARITH_OP_NOT_ALLOWED' | 'DSL_COMPARE_OP_NOT_ALLOWED' | 'DSL_FUNC_NAME_NOT_ALLOWED',
  nodeId: string,
  name: string,
): ScoringError {
  return new ScoringError({ code, nodeId, message: `unknown operator or function ${name}`, params: { name } });
}

function callFailed({ id, name }: FuncCall, args: readonly unknown[]): ScoringError {
  const argTypes = args.map(typeName);
  return new ScoringError({
    code: 'DSL_FUNC_CALL_FAILED',
    nodeId: id,
    message: `${name} cannot be called with ${argTypes.join(', ')}`,
    params: { name, argTypes },
  });
}
