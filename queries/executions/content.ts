import { UsageError } from '../../shared/platform/errors.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';

/** A value to compare with: no object, and no array. */
type Scalar = string | number | boolean | null;

const operators = ['=', '!=', '<', '<=', '>', '>='] as const;
type Operator = (typeof operators)[number];

/** What a value has to be. Texts and numbers are compared with their own kind only. */
export interface ValueCondition {
  operator: Operator;
  value: Scalar;
}

/** What a run has to have in its trace, or in its input. */
export interface ExecutionContent {
  /** one entry of its trace: of this node, and with such a value; null: with any */
  node?: { nodeId: string; gave: ValueCondition | null };
  /** a field of its input, by the keys that lead to it, and its value; null: any */
  input?: { path: string[]; is: ValueCondition | null };
}

/** The texts of a URL or a command line. */
export interface ContentTexts {
  node?: string | undefined;
  gave?: string | undefined;
  input?: string | undefined;
}

/**
 * Parses what a run has to have in its trace and in its input.
 *
 * @param texts.gave a value, after an operator or not: `10`, `>= 10`, `"10"`, `true`, `null`; what is no JSON is a text
 * @param texts.input a path with an operator and a value, or alone: `user.streak >= 4`, `/a.b/0 = x`
 * @returns null if there is nothing to search for
 * @throws UsageError that says what is wrong
 */
export function parseContent({ node, gave, input }: ContentTexts): ExecutionContent | null {
  if (gave !== undefined && node === undefined) throw new UsageError('a value that a node gave needs the node');
  if (node === undefined && input === undefined) return null;
  return {
    ...(node === undefined
      ? {}
      : { node: { nodeId: storable('the node', node), gave: gave === undefined ? null : parseCondition(gave) } }),
    ...(input === undefined ? {} : { input: parseField(input) }),
  };
}

function parseCondition(text: string): ValueCondition {
  const [, operator = '=', rest = ''] = /^\s*(>=|<=|!=|=|<|>)?\s*(.*?)\s*$/s.exec(text) ?? [];
  return toCondition(operator as Operator, rest);
}

const mostKeys = 32;

function parseField(text: string): { path: string[]; is: ValueCondition | null } {
  const [, place = '', operator, rest = ''] = /^\s*([^=!<>]*?)\s*(?:(>=|<=|!=|=|<|>)\s*(.*?)\s*)?$/s.exec(text) ?? [];
  const path = place.startsWith('/')
    ? place
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : place.split('.');
  if (place === '' || path.length > mostKeys || path.includes(''))
    throw new UsageError(
      `a field of the input must be a path of 1 to ${mostKeys} keys, such as user.streak or /user/streak, then an operator and a value`,
    );
  return {
    path: path.map((key) => storable('the path', key)),
    is: operator === undefined ? null : toCondition(operator as Operator, rest),
  };
}

function toCondition(operator: Operator, text: string): ValueCondition {
  if (text === '') throw new UsageError(`there is no value to compare with; an empty text is ""`);
  if (/^[=<>!]/.test(text))
    throw new UsageError(
      `the operators are ${operators.join(', ')}; a text that begins as one of them needs quotes: ${JSON.stringify(text)}`,
    );
  const value = parseScalar(text);
  const isOrdered = typeof value === 'number' || typeof value === 'string';
  if (!isOrdered && operator !== '=' && operator !== '!=')
    throw new UsageError(`${JSON.stringify(value)} can only be compared by = and !=`);
  return { operator, value: typeof value === 'string' ? storable('the value', value) : value };
}

function parseScalar(text: string): Scalar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === 'object' && value !== null)
    throw new UsageError('a value must be a number, a text, true, false or null, not an object or an array');
  // In JSON it would be null, and find what is null.
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new UsageError(`${text} is larger than any number here`);
  return value as Scalar;
}

/** PostgreSQL stores no NUL and no half of a character, so nothing has such a text. */
function storable(what: string, text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw new UsageError(`${what} must not contain NUL or half a character`);
  return text;
}

/** The comparisons of jsonpath. Everything that somebody has written comes in as a variable, and is never part of a path. */
const comparisons: Record<Operator, string> = { '=': '==', '!=': '!=', '<': '<', '<=': '<=', '>': '>', '>=': '>=' };

/** What PostgreSQL has to check in the trace and in the input. */
export function toContentConditions({ node, input }: ExecutionContent): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (node !== undefined) {
    const { nodeId, gave } = node;
    const ofValue = gave === null ? '' : ` && @.value ${comparisons[gave.operator]} $value`;
    const variables = JSON.stringify({ node: nodeId, ...(gave === null ? {} : { value: gave.value }) });
    conditions.push(
      Prisma.sql`jsonb_path_exists(trace, ${Prisma.raw(`'$[*] ? (@.nodeId == $node${ofValue})'`)}, ${variables}::jsonb, true)`,
    );
  }
  if (input !== undefined) {
    const { path, is } = input;
    const field = Prisma.sql`(input #> ${path}::text[])`;
    conditions.push(
      is === null
        ? Prisma.sql`${field} is not null`
        : Prisma.sql`jsonb_path_exists(${field}, ${Prisma.raw(`'$ ? (@ ${comparisons[is.operator]} $value)'`)},
            ${JSON.stringify({ value: is.value })}::jsonb, true)`,
    );
  }
  return conditions;
}

/** The bytes that PostgreSQL has to read for that, as they are stored. It need not read them to know. */
export function toContentBytes({ node, input }: ExecutionContent): Prisma.Sql {
  const columns = [...(node === undefined ? [] : ['trace']), ...(input === undefined ? [] : ['input'])];
  return Prisma.raw(`(${columns.map((column) => `coalesce(pg_column_size(${column}), 0)`).join(' + ')})::float8`);
}
