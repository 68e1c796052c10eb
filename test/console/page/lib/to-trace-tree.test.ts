import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ToTraceTree, TraceNode } from '../../../../console/page/lib/run-shapes.d.ts';
import { generateEvents } from '../../../../demo/executions/events.ts';
import { score } from '../../../../demo/executions/score.ts';
import { demoStrategies } from '../../../../demo/executions/strategies.ts';
import type { TraceEntry } from '../../../../producers/index.ts';
import { pageModule } from '../../../support/page-module.ts';

const { toTraceTree } = await pageModule<{ toTraceTree: ToTraceTree }>('lib/to-trace-tree.js');

/** A tree as text: ids with their children in parentheses. */
function drawn(nodes: readonly TraceNode[]): string {
  return nodes
    .map(({ nodeId, type, state, children }) => {
      const name = `${nodeId ?? type}${state === 'done' ? '' : `!${state}`}`;
      return children.length === 0 ? name : `${name}(${drawn(children)})`;
    })
    .join(' ');
}

const entry = (nodeId: string | null, type: string, value: unknown = 1, branch?: string) => ({
  nodeId,
  type,
  value,
  ...(branch === undefined ? {} : { branch }),
});

test('trace tree: ids that tell the structure decide, and a rule has its condition and its body', () => {
  const trace = [
    entry('r.compare.0.field.0', 'field'),
    entry('r.compare.0.literal.1', 'literal'),
    entry('r.compare.0', 'compare', true),
    entry('r', 'rule', true, 'match'),
    entry('r.assign_points.0.literal.0', 'literal'),
    entry('r.assign_points.0', 'assign_points', 5, 'match'),
  ];
  const { roots, isInferred } = toTraceTree(trace);
  expect(drawn(roots)).toBe(
    'r(r.compare.0(r.compare.0.field.0 r.compare.0.literal.1) r.assign_points.0(r.assign_points.0.literal.0))',
  );
  expect(isInferred).toBe(false);
});

test('trace tree: a rule within a rule’s body stands there', () => {
  const trace = [
    entry('r.literal.0', 'literal'),
    entry('r', 'rule', true, 'match'),
    entry('r.rule.0.literal.0', 'literal'),
    entry('r.rule.0', 'rule', false, 'skip'),
    entry('next.literal.0', 'literal'),
    entry('next', 'rule', false, 'skip'),
  ];
  expect(drawn(toTraceTree(trace).roots)).toBe('r(r.literal.0 r.rule.0(r.rule.0.literal.0)) next(next.literal.0)');
});

test('trace tree: a rule that is run twice keeps what it did each time', () => {
  const turn = [
    entry('r.literal.0', 'literal'),
    entry('r', 'rule', true, 'match'),
    entry('r.set_data.0.literal.0', 'literal'),
    entry('r.set_data.0', 'set_data'),
  ];
  const one = 'r(r.literal.0 r.set_data.0(r.set_data.0.literal.0))';
  expect(drawn(toTraceTree([...turn, entry('s', 'rule', false, 'skip'), ...turn]).roots)).toBe(`${one} s ${one}`);
});

test('trace tree: a loop has its rounds, and in each its nodes have their own operands', () => {
  const round = [entry('r.repeat.0.set_data.0.literal.0', 'literal'), entry('r.repeat.0.set_data.0', 'set_data')];
  const { roots } = toTraceTree([
    entry('r', 'rule', true, 'match'),
    entry('r.repeat.0.literal.0', 'literal', 2),
    entry('r.repeat.0', 'repeat', 2),
    ...round,
    ...round,
    entry('r.set_data.1', 'set_data'),
  ]);
  const drawnRound = 'r.repeat.0.set_data.0(r.repeat.0.set_data.0.literal.0)';
  expect(drawn(roots)).toBe(`r(r.repeat.0(r.repeat.0.literal.0 ${drawnRound} ${drawnRound}) r.set_data.1)`);
});

test('trace tree: the node that failed is marked where it stood, with those around it that did not end', () => {
  const trace = [
    entry('r.and.0.compare.0', 'compare', true),
    entry('r.and.0.compare.1.field.0', 'field', null),
    entry('r.and.0.compare.1.literal.1', 'literal', 3),
  ];
  const { roots } = toTraceTree(trace, { failedNodeId: 'r.and.0.compare.1' });
  expect(drawn(roots)).toBe(
    'r!unfinished(r.and.0!unfinished(r.and.0.compare.0 r.and.0.compare.1!failed(r.and.0.compare.1.field.0 r.and.0.compare.1.literal.1)))',
  );
});

test('trace tree: a failure in what a rule does stands in that rule, which is there once', () => {
  const trace = [
    entry('r.literal.0', 'literal', true),
    entry('r', 'rule', true, 'match'),
    entry('r.repeat.0', 'repeat', 9),
    entry('r.repeat.0.set_data.0', 'set_data'),
    entry('r.repeat.0.set_data.1.arith.0.field.0', 'field', 7),
  ];
  const { roots } = toTraceTree(trace, { failedNodeId: 'r.repeat.0.set_data.1.arith.0' });
  expect(drawn(roots)).toBe(
    'r(r.literal.0 r.repeat.0(r.repeat.0.set_data.0 r.repeat.0.set_data.1!unfinished(r.repeat.0.set_data.1.arith.0!failed(r.repeat.0.set_data.1.arith.0.field.0))))',
  );
  const cut = toTraceTree(trace, { failedNodeId: 'r.repeat.0.set_data.1.arith.0', traceLength: 50 });
  expect(drawn(cut.roots).match(/\br\b(?!\.)/g)).toHaveLength(1);
});

test.each([
  ['anything', 'anything!failed'],
  ['default.assign_points.0', 'default.assign_points.0!failed'],
  ['r.elseif.1.compare.0', 'r!unfinished(r.elseif.1.compare.0!failed)'],
  ['r.else.set_data.0', 'r!unfinished(r.else.set_data.0!failed)'],
  ['program.rule.0.not.0', 'program.rule.0!unfinished(program.rule.0.not.0!failed)'],
])('trace tree: a failure at %s without a trace is %s', (failedNodeId, tree) => {
  expect(drawn(toTraceTree([], { failedNodeId }).roots)).toBe(tree);
});

test('trace tree: where ids tell nothing the types of nodes do, and it says so', () => {
  const trace = [
    entry('a', 'field', 1),
    entry('b', 'literal', 2),
    entry('c', 'compare', true),
    entry(null, 'field', 3),
    entry('d', 'not', false),
    entry('e', 'or', true, 'short_circuit:1'),
    entry('r', 'rule', true, 'match'),
    entry('p', 'literal', 10),
    entry('s', 'assign_points', 10, 'match'),
    entry('r2', 'rule', false, 'skip'),
    entry('v', 'veto', 'NO', 'veto'),
  ];
  const { roots, isInferred } = toTraceTree(trace);
  expect(drawn(roots)).toBe('r(e(c(a b) d(field)) s(p)) r2 v');
  expect(isInferred).toBe(true);
});

test('trace tree: an argument that settled the result was the last', () => {
  const trace = [
    entry('x', 'literal'),
    entry('a', 'literal'),
    entry('b', 'literal'),
    entry('o', 'or', true, 'short_circuit:1'),
  ];
  expect(drawn(toTraceTree(trace).roots)).toBe('x o(a b)');
});

test('trace tree: what was cut stands between the head and the tail, and nothing is nested across it', () => {
  const trace = [
    entry('r.literal.0', 'literal'),
    entry('r', 'rule', true, 'match'),
    entry('r.set_data.5.literal.0', 'literal', 9),
    entry('r.set_data.9.literal.0', 'literal', 1),
    entry('r.set_data.9', 'set_data', 1),
  ];
  expect(drawn(toTraceTree(trace, { traceLength: 25 }).roots)).toBe(
    'r(r.literal.0 r.set_data.5.literal.0) 20 entries were not kept!cut r.set_data.9(r.set_data.9.literal.0)',
  );
  expect(drawn(toTraceTree([entry('a', 'literal')], { traceLength: 2 }).roots)).toBe('a 1 entry was not kept!cut');
});

test('trace tree: what is no entry of a node is there whole', () => {
  const strange = [17, null, 'text', [1], { at: 1 }, { nodeId: 4, type: {} }];
  const { roots, entries } = toTraceTree(strange);
  expect(roots.map(({ type, value }) => ({ type, value }))).toEqual(strange.map((value) => ({ type: '?', value })));
  expect(entries).toBe(6);
});

/** The nearest node above whose id is in the trace; null where there is none. */
function parentByPath(id: string, ids: ReadonlySet<string>): string | null {
  const parts = id.split('.');
  while (parts.pop() !== undefined) if (ids.has(parts.join('.'))) return parts.join('.');
  return null;
}

test('trace tree: of every run of the demo each node is once under the one that its id says', () => {
  const byId = new Map(demoStrategies.map((strategy) => [strategy.id, strategy]));
  let nodes = 0;
  let failures = 0;
  for (const event of generateEvents({ count: 400, seed: 3, strategies: demoStrategies })) {
    const strategy = byId.get(event.strategyId);
    if (strategy === undefined || strategy.limit !== undefined) continue;
    const trace: TraceEntry[] = [];
    let failedNodeId: string | null = null;
    try {
      score(strategy, event.data, { trace, nodesExecuted: 0, points: null, caseName: null });
    } catch (error) {
      failures += 1;
      failedNodeId = (error as { nodeId?: string }).nodeId ?? null;
    }
    const { roots, isInferred } = toTraceTree(trace, { failedNodeId, traceLength: trace.length });
    expect(isInferred).toBe(false);
    const all: TraceNode[] = [];
    const parents = new Map<TraceNode, TraceNode>();
    const visit = (node: TraceNode): void => {
      all.push(node);
      for (const child of node.children) {
        parents.set(child, node);
        visit(child);
      }
    };
    roots.forEach(visit);
    const ids = new Set(all.map(({ nodeId }) => nodeId ?? ''));
    for (const node of all)
      expect(parents.get(node)?.nodeId ?? null, node.nodeId ?? '').toBe(parentByPath(node.nodeId ?? '', ids));
    const done = all.filter(({ state }) => state === 'done').map(({ nodeId }) => nodeId);
    expect(done.sort()).toEqual(trace.map(({ nodeId }) => nodeId).sort());
    expect(all.filter(({ state }) => state === 'failed').map(({ nodeId }) => nodeId)).toEqual(
      failedNodeId === null ? [] : [failedNodeId],
    );
    nodes += all.length;
  }
  expect(nodes).toBeGreaterThan(4_000);
  expect(failures).toBeGreaterThan(5);
});

test('trace tree: whatever a trace holds, nothing is left out and nothing comes twice', () => {
  const types = [
    'literal',
    'field',
    'arith',
    'compare',
    'and',
    'or',
    'not',
    'func_call',
    'rule',
    'repeat',
    'set_data',
    'veto',
    'other',
  ];
  const id = fc.constantFrom(
    'a',
    'a.b',
    'a.literal.0',
    'a.arith.0',
    'a.arith.0.field.1',
    'c',
    'c.repeat.0',
    'c.repeat.0.set_data.1',
  );
  const anyEntry = fc.record({
    nodeId: fc.option(id),
    type: fc.constantFrom(...types),
    value: fc.integer(),
    branch: fc.constantFrom(
      'match',
      'skip',
      'else',
      'elseif:0',
      'elseif:x',
      'short_circuit:0',
      'short_circuit:-5',
      undefined,
    ),
  });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyEntry, fc.anything()), { maxLength: 25 }),
      fc.nat(30),
      fc.option(fc.oneof(id, fc.string())),
      (trace, traceLength, failedNodeId) => {
        const { roots } = toTraceTree(trace, { traceLength, failedNodeId });
        const count = (nodes: readonly TraceNode[], wanted: string): number =>
          nodes.reduce((sum, { state, children }) => sum + (state === wanted ? 1 : 0) + count(children, wanted), 0);
        expect(count(roots, 'done')).toBe(trace.length);
        expect(count(roots, 'failed')).toBe(failedNodeId === null ? 0 : 1);
        expect(count(roots, 'cut')).toBe(traceLength > trace.length ? 1 : 0);
      },
    ),
  );
});
