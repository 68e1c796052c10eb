/**
 * The rule language of the demo's scoring service, as plain JSON: nothing here has behaviour.
 * Every node has an `id` that is unique in its program; trace entries and errors point at nodes by it.
 */

export type ArithOperator = '+' | '-' | '*' | '/' | 'min' | 'max';
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
/** `int` takes 1 argument, `clamp` takes 3: value, low, high. */
export type FunctionName = 'int' | 'clamp';

export type Literal = { id: string; type: 'literal'; value: number | string | boolean | null };
/** `path` is an external id (`externalUserId`), `data.<key>`, or in post-rules `parent.points` and `parent.case_name`. */
export type Field = { id: string; type: 'field'; path: string };
export type Arith = { id: string; type: 'arith'; op: ArithOperator; left: Expression; right: Expression };
export type Compare = { id: string; type: 'compare'; op: CompareOperator; left: Expression; right: Expression };
export type Logic = { id: string; type: 'and' | 'or'; args: readonly Expression[] };
type Not = { id: string; type: 'not'; arg: Expression };
export type FuncCall = { id: string; type: 'func_call'; name: FunctionName; args: readonly Expression[] };
export type Expression = Literal | Field | Arith | Compare | Logic | Not | FuncCall;

/** Gives the points and the case, and ends the phase. */
type AssignPoints = { id: string; type: 'assign_points'; points: Expression; caseName: string | null };
type SetPoints = { id: string; type: 'set_points'; points: Expression };
type SetCaseName = { id: string; type: 'set_case_name'; caseName: Expression };
/** Writes `data.<key>` for the rest of this run; the event itself stays unchanged. */
type SetData = { id: string; type: 'set_data'; key: string; value: Expression };
type SetCallbackData = { id: string; type: 'set_callback_data'; key: string; value: Expression };
/** Ends the run with 0 points and this case; in pre-rules the parent and the post-rules are skipped. */
type Veto = { id: string; type: 'veto'; caseName: string };
/** Ends the phase. */
type Return = { id: string; type: 'return' };
/** Runs `body` `count` times; a fraction is cut off, a negative count is 0. */
export type Repeat = { id: string; type: 'repeat'; count: Expression; body: readonly Statement[] };
export type Statement = AssignPoints | SetPoints | SetCaseName | SetData | SetCallbackData | Veto | Return | Repeat;

type ElseIf = { id: string; condition: Expression; body: readonly Statement[] };
/** The first arm whose condition holds is run; `else` is run if none does. */
export type Rule = {
  id: string;
  type: 'rule';
  condition: Expression;
  body: readonly Statement[];
  elseIf?: readonly ElseIf[];
  else?: readonly Statement[];
};

/** Rules in order until one ends the phase; `default` is run if no rule matched. */
export type FullProgram = { id: string; type: 'DSL_FULL'; rules: readonly Rule[]; default?: readonly Statement[] };
/** `preRules`, then the built-in named by `parent`, then `postRules`, which can read the parent's result. */
export type ExtendProgram = {
  id: string;
  type: 'DSL_EXTEND';
  preRules: readonly Rule[];
  parent: string;
  postRules: readonly Rule[];
};

/** Budgets of one run, all phases together. @default maxNodes 1000, timeoutMs 500 */
export type Limits = { maxNodes?: number; timeoutMs?: number };

type StrategyHead = { id: string; name: string; version: number; limits?: Limits };
export type FullStrategy = StrategyHead & { type: 'DSL_FULL'; parentStrategyId: null; program: FullProgram };
/** `parentStrategyId` repeats `program.parent`. */
export type ExtendStrategy = StrategyHead & { type: 'DSL_EXTEND'; parentStrategyId: string; program: ExtendProgram };
/** One version of one strategy. `id` is a UUID; the realm it belongs to is known to the caller, not here. */
export type Strategy = FullStrategy | ExtendStrategy;
