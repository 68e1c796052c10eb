import { expect, test } from 'vitest';
import { generateEvents } from '../../../local/demo/events.ts';
import { demoStrategies } from '../../../local/demo/scoring/strategies.ts';
import { createScoringService } from '../../../local/demo/scoring-service.ts';
import type { Execution, TraceEntry } from '../../../producers/index.ts';
import { pageModule } from './page-module.ts';

interface TraceNode {
  nodeId: string | null;
  type: string;
  state: string;
  value?: unknown;
  children: TraceNode[];
}
const { toTraceTree } = await pageModule<{
  toTraceTree(trace: unknown[], run?: object): { roots: TraceNode[]; isInferred: boolean; entries: number };
}>('lib/trace-tree.js');

/** A tree as text: ids with their children in parentheses. */
function drawn(nodes: TraceNode[]): string {
  return nodes
    .map(({ nodeId, type, state, children }) => {
      const name = `${nodeId ?? type}${state === 'done' ? '' : `!${state}`}`;
      return children.length === 0 ? name : `${name}(${drawn(children)})`;
    })
    .join(' ');
}

const entry = (nodeId: string | null, type: string, value: unknown = 1, branch?: string): TraceEntry => ({
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

test('trace tree: a node that is evaluated twice is there twice, each time with its own children', () => {
  const turn = [entry('r.repeat.0.set_data.0.literal.0', 'literal'), entry('r.repeat.0.set_data.0', 'set_data')];
  const { roots } = toTraceTree([...turn, ...turn, entry('r.repeat.0', 'repeat')]);
  expect(drawn(roots)).toBe(
    'r.repeat.0(r.repeat.0.set_data.0(r.repeat.0.set_data.0.literal.0) r.repeat.0.set_data.0(r.repeat.0.set_data.0.literal.0))',
  );
});

test('trace tree: the node that failed is marked where it stood, with those around it that did not end', () => {
  const trace = [entry('r.compare.0.field.0', 'field', null), entry('r.compare.0.literal.1', 'literal', 3)];
  const { roots } = toTraceTree(trace, { failedNodeId: 'r.compare.0' });
  expect(drawn(roots)).toBe('r!unfinished(r.compare.0!failed(r.compare.0.field.0 r.compare.0.literal.1))');
});

test('trace tree: a failure without a trace is one marked node', () => {
  expect(drawn(toTraceTree([], { failedNodeId: 'anything' }).roots)).toBe('anything!failed');
});

test('trace tree: where ids tell nothing the kinds of nodes do, and it says so', () => {
  const trace = [
    entry('a', 'field'),
    entry('b', 'literal'),
    entry('c', 'compare', true),
    entry('d', 'rule', true, 'match'),
    entry('e', 'literal'),
    entry('f', 'assign_points', 1, 'match'),
  ];
  const { roots, isInferred } = toTraceTree(trace);
  expect(drawn(roots)).toBe('d(c(a b)) f(e)');
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

test('trace tree: what was cut stands between the head and the tail', () => {
  const trace = [entry('a', 'literal'), entry('b', 'literal'), entry('c', 'literal')];
  expect(drawn(toTraceTree(trace, { traceLength: 10 }).roots)).toBe('a b 7 entries were not kept!cut c');
});

test.each([
  ['nothing', []],
  ['what is no entry', [null, 3, 'text', [], {}]],
  ['ids and types of a wrong kind', [{ nodeId: 4, type: {}, value: 1, branch: [] }]],
])('trace tree: %s is drawn, too', (_name, trace) => {
  expect(toTraceTree(trace).entries).toBe(trace.length);
});

test('trace tree: of the demo’s runs it holds every entry once, in one tree for each statement', () => {
  const runs: Execution[] = [];
  const score = createScoringService({
    observer: { record: (run) => void runs.push(run) },
    strategies: demoStrategies,
    realms: ['acme'],
  });
  for (const event of generateEvents({ count: 400, seed: 3, strategies: demoStrategies })) score(event);
  const count = (nodes: TraceNode[]): number =>
    nodes.reduce((sum, { state, children }) => sum + (state === 'done' ? 1 : 0) + count(children), 0);
  for (const { trace, failedNodeId = null } of runs) {
    const tree = toTraceTree([...(trace ?? [])], { failedNodeId });
    expect(count(tree.roots)).toBe(trace?.length ?? 0);
    const ends = tree.roots.filter(({ type }) => ['literal', 'field', 'compare', 'arith'].includes(type));
    expect(drawn(ends)).toBe('');
  }
  expect(runs.filter(({ status }) => status !== 'ok').length).toBeGreaterThan(0);
});
