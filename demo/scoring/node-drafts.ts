import type {
  ArithOperator,
  CompareOperator,
  Expression,
  ExtendStrategy,
  FullStrategy,
  FunctionName,
  Limits,
  Literal,
  Rule,
  Statement,
} from './ast.ts';

/**
 * A node that has no id yet. A rule is named by hand; nodes below it get `<parent>.<type>.<index>`, so that programs stay readable
 * as source and every id says where its node belongs.
 */
export type Draft<T> = (parentId: string, index: number) => T;

type StatementDraft = Draft<Statement>;
type ExpressionDraft = Draft<Expression>;
type ArmDraft = { condition: ExpressionDraft; body: readonly StatementDraft[] };
type RuleDraft = ArmDraft & {
  id: string;
  elseIf?: readonly ArmDraft[];
  else?: readonly StatementDraft[];
};
type StrategyDraft = { id: string; name: string; version: number; limits?: Limits };

function fillAll<T>(drafts: readonly Draft<T>[], parentId: string): T[] {
  return drafts.map((draft, index) => draft(parentId, index));
}

export function literal(value: Literal['value']): ExpressionDraft {
  return (parentId, index) => ({ id: `${parentId}.literal.${index}`, type: 'literal', value });
}

export function field(path: string): ExpressionDraft {
  return (parentId, index) => ({ id: `${parentId}.field.${index}`, type: 'field', path });
}

export function arith(left: ExpressionDraft, op: ArithOperator, right: ExpressionDraft): ExpressionDraft {
  return (parentId, index) => {
    const id = `${parentId}.arith.${index}`;
    return { id, type: 'arith', op, left: left(id, 0), right: right(id, 1) };
  };
}

export function compare(left: ExpressionDraft, op: CompareOperator, right: ExpressionDraft): ExpressionDraft {
  return (parentId, index) => {
    const id = `${parentId}.compare.${index}`;
    return { id, type: 'compare', op, left: left(id, 0), right: right(id, 1) };
  };
}

export function logic(type: 'and' | 'or', ...args: ExpressionDraft[]): ExpressionDraft {
  return (parentId, index) => {
    const id = `${parentId}.${type}.${index}`;
    return { id, type, args: fillAll(args, id) };
  };
}

export function not(arg: ExpressionDraft): ExpressionDraft {
  return (parentId, index) => {
    const id = `${parentId}.not.${index}`;
    return { id, type: 'not', arg: arg(id, 0) };
  };
}

export function call(name: FunctionName, ...args: ExpressionDraft[]): ExpressionDraft {
  return (parentId, index) => {
    const id = `${parentId}.func_call.${index}`;
    return { id, type: 'func_call', name, args: fillAll(args, id) };
  };
}

export function assignPoints(points: ExpressionDraft, caseName: string | null): StatementDraft {
  return (parentId, index) => {
    const id = `${parentId}.assign_points.${index}`;
    return { id, type: 'assign_points', points: points(id, 0), caseName };
  };
}

export function setPoints(points: ExpressionDraft): StatementDraft {
  return (parentId, index) => {
    const id = `${parentId}.set_points.${index}`;
    return { id, type: 'set_points', points: points(id, 0) };
  };
}

export function setCaseName(caseName: ExpressionDraft): StatementDraft {
  return (parentId, index) => {
    const id = `${parentId}.set_case_name.${index}`;
    return { id, type: 'set_case_name', caseName: caseName(id, 0) };
  };
}

/** `set_data` or `set_callback_data`. */
export function set(type: 'set_data' | 'set_callback_data', key: string, value: ExpressionDraft): StatementDraft {
  return (parentId, index) => {
    const id = `${parentId}.${type}.${index}`;
    return { id, type, key, value: value(id, 0) };
  };
}

export function veto(caseName: string): StatementDraft {
  return (parentId, index) => ({ id: `${parentId}.veto.${index}`, type: 'veto', caseName });
}

export function endPhase(): StatementDraft {
  return (parentId, index) => ({ id: `${parentId}.return.${index}`, type: 'return' });
}

export function repeat(count: ExpressionDraft, body: readonly StatementDraft[]): StatementDraft {
  return (parentId, index) => {
    const id = `${parentId}.repeat.${index}`;
    return { id, type: 'repeat', count: count(id, 0), body: fillAll(body, id) };
  };
}

/** A rule; its id is the given one, and below `else` and the else-ifs the arm is part of the path. */
export function rule(draft: RuleDraft): Rule {
  const { id } = draft;
  return {
    id,
    type: 'rule',
    condition: draft.condition(id, 0),
    body: fillAll(draft.body, id),
    ...(draft.elseIf && {
      elseIf: draft.elseIf.map((arm, index) => {
        const armId = `${id}.elseif.${index}`;
        return { id: armId, condition: arm.condition(armId, 0), body: fillAll(arm.body, armId) };
      }),
    }),
    ...(draft.else && { else: fillAll(draft.else, `${id}.else`) }),
  };
}

/** A DSL_FULL strategy with the program id `program`. */
export function fullStrategy(
  draft: StrategyDraft & { rules: readonly Rule[]; default?: readonly StatementDraft[] },
): FullStrategy {
  const { rules, default: fallback, ...head } = draft;
  const type = 'DSL_FULL';
  const program = { id: 'program', type, rules, ...(fallback && { default: fillAll(fallback, 'default') }) } as const;
  return { ...head, type, parentStrategyId: null, program };
}

/** A DSL_EXTEND strategy with the program id `program`. */
export function extendStrategy(
  draft: StrategyDraft & { preRules: readonly Rule[]; parent: string; postRules: readonly Rule[] },
): ExtendStrategy {
  const { preRules, parent, postRules, ...head } = draft;
  const type = 'DSL_EXTEND';
  return { ...head, type, parentStrategyId: parent, program: { id: 'program', type, preRules, parent, postRules } };
}
