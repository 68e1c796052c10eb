import { statementErrorName } from './database-errors.ts';
import { fieldsOf } from './error-causes.ts';
import type { DatabaseErrorFacts } from './explain-database-error.ts';
import { redactMessage, wordsOf } from './redact-message.ts';

/** A statement that PostgreSQL refused, with all that may be told of it. */
export class StatementError extends Error implements DatabaseErrorFacts {
  override readonly name = statementErrorName;
  readonly code: string;
  declare readonly schema?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  declare readonly function?: string;
  /** of PostgreSQL's source, which raised it */
  declare readonly routine?: string;

  constructor({ code, message, ...facts }: DatabaseErrorFacts & { routine?: string }) {
    super(message);
    this.code = code;
    Object.assign(this, facts);
  }
}

/** Sources of the languages that functions are written in: what they raise is worded by whoever wrote the function. */
const languageSources = /^(?:pl_|plpy|plperl|pltcl|plv8)/;

/**
 * What the driver threw, without what it quotes of the rows: PostgreSQL puts values into message, detail and context. An
 * error that is not PostgreSQL's stays as it is.
 *
 * @param json the statement's parameter; null: it is not at hand as a text, so nothing is told of what a function says
 */
export function toStatementError(thrown: unknown, json: string | null): unknown {
  if (!(thrown instanceof Error) || !('severity' in thrown)) return thrown;
  const error = fieldsOf(thrown);
  const { code, message, where, file } = error;
  if (typeof code !== 'string' || typeof message !== 'string') return thrown;
  const place: Partial<Record<(typeof errorFields)[number], string>> = {};
  for (const name of errorFields) {
    const value = error[name];
    if (typeof value === 'string') place[name] = value;
  }
  const { routine, ...named } = place;
  const names = Object.values(named);
  const facts = { code, message: redactMessage(message, { names }), ...place };
  if (typeof file === 'string' && languageSources.test(file)) {
    const values = json === null ? null : wordsOf(json);
    facts.message = values === null ? 'a function refused it' : redactMessage(message, { names, values });
  }
  const raisedIn = ofFunction.exec(typeof where === 'string' ? where : '')?.[1];
  return new StatementError({ ...facts, ...(raisedIn === undefined ? {} : { function: raisedIn }) });
}

const errorFields = ['schema', 'table', 'column', 'constraint', 'routine'] as const;

/** The function in a line of a context such as "PL/pgSQL function odd(integer) line 1 at RAISE", in any language: before it there is no value. */
const ofFunction = /^[^\n(:"'«»„]*PL\/pgSQL[^\n(:"'«»„]*?([\w.$]+\([^)"']*\))/m;
