import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toText } from '../../../cli/text/line.ts';
import { toTraceLines } from '../../../cli/text/trace-lines.ts';
import { type Trace, type TraceNode, toTraceTree } from '../../../cli/text/trace-tree.ts';
import { generateEvents } from '../../../local/demo/events.ts';
import type { TraceEntry } from '../../../local/demo/scoring/evaluation.ts';
import { evaluate } from '../../../local/demo/scoring/interpreter.ts';
import { demoStrategies } from '../../../local/demo/scoring/strategies.ts';

const draw = (nodes: readonly TraceNode[]): string[] =>
  toTraceLines(nodes, { columns: null }).map((line) => toText(line, { colours: false }));
const drawTrace = (entries: readonly unknown[], rest: Partial<Trace> = {}): string[] =>
  draw(toTraceTree({ entries, length: null, failure: null, ...rest }));
const entry = (nodeId: string | null, type: string, value: unknown = null, branch?: string) => ({
  nodeId,
  type,
  value,
  ...(branch === undefined ? {} : { branch }),
});

test('trace tree: a rule with its condition and what it did, operands below what was made of them', () => {
  const fresh = [
    entry('fresh.compare.0.field.0', 'field', 0.5),
    entry('fresh.compare.0.literal.1', 'literal', 0),
    entry('fresh.compare.0', 'compare', true),
    entry('fresh', 'rule', true, 'match'),
    entry('fresh.assign_points.0.func_call.0.arith.0.literal.0', 'literal', 40),
    entry('fresh.assign_points.0.func_call.0.arith.0.field.1', 'field', 0.5),
    entry('fresh.assign_points.0.func_call.0.arith.0', 'arith', 20),
    entry('fresh.assign_points.0.func_call.0', 'func_call', 20),
    entry('fresh.assign_points.0', 'assign_points', 20, 'match'),
  ];
  expect(drawTrace(fresh)).toEqual([
    '└─ rule true (match)  fresh',
    '   ├─ compare true  fresh.compare.0',
    '   │  ├─ field 0.5  fresh.compare.0.field.0',
    '   │  └─ literal 0  fresh.compare.0.literal.1',
    '   └─ assign_points 20 (match)  fresh.assign_points.0',
    '      └─ func_call 20  fresh.assign_points.0.func_call.0',
    '         └─ arith 20  fresh.assign_points.0.func_call.0.arith.0',
    '            ├─ literal 40  fresh.assign_points.0.func_call.0.arith.0.literal.0',
    '            └─ field 0.5  fresh.assign_points.0.func_call.0.arith.0.field.1',
  ]);
});

test('trace tree: on a terminal its lines are cut at the edge', () => {
  const tree = toTraceTree({ entries: [entry('a', 'literal', 'x'.repeat(50))], length: null, failure: null });
  expect(toTraceLines(tree, { columns: 20 }).map((line) => toText(line, { colours: false }))).toEqual([
    '└─ literal "xxxxxxx…',
  ]);
});

test('trace tree: ids given by hand say nothing, so the types tell whose an operand is', () => {
  const byHand = [
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
  expect(drawTrace(byHand)).toEqual([
    '├─ rule true (match)  r',
    '│  ├─ or true (short_circuit:1)  e',
    '│  │  ├─ compare true  c',
    '│  │  │  ├─ field 1  a',
    '│  │  │  └─ literal 2  b',
    '│  │  └─ not false  d',
    '│  │     └─ field 3',
    '│  └─ assign_points 10 (match)  s',
    '│     └─ literal 10  p',
    '├─ rule false (skip)  r2',
    '└─ veto "NO" (veto)  v',
  ]);
});

test('trace tree: a run that failed ends at the node it failed at, above what was evaluated for it', () => {
  const entries = [
    entry('r.literal.0', 'literal', true),
    entry('r', 'rule', true, 'match'),
    entry('r.set_data.0.arith.0.field.0', 'field', 7),
    entry('r.set_data.0.arith.0.literal.1', 'literal', 0),
  ];
  expect(drawTrace(entries, { failure: { nodeId: 'r.set_data.0.arith.0' } })).toEqual([
    '└─ rule true (match)  r',
    '   ├─ literal true  r.literal.0',
    '   └─ ✗ failed at r.set_data.0.arith.0',
    '      ├─ field 7  r.set_data.0.arith.0.field.0',
    '      └─ literal 0  r.set_data.0.arith.0.literal.1',
  ]);
  expect(drawTrace([], { failure: { nodeId: null } })).toEqual(['└─ ✗ failed at a node that is not known']);
});

test('trace tree: what was cut out of the middle is told where it was, and nothing is nested across it', () => {
  const entries = [
    entry('r.literal.0', 'literal', true),
    entry('r', 'rule', true, 'match'),
    entry('r.set_data.5.literal.0', 'literal', 9),
    entry('r.set_data.9.literal.0', 'literal', 1),
    entry('r.set_data.9', 'set_data', 1),
  ];
  expect(drawTrace(entries, { length: 25 })).toEqual([
    '├─ rule true (match)  r',
    '│  ├─ literal true  r.literal.0',
    '│  └─ literal 9  r.set_data.5.literal.0',
    '├─ … 20 entries left out …',
    '└─ set_data 1  r.set_data.9',
    '   └─ literal 1  r.set_data.9.literal.0',
  ]);
});

test('trace tree: what is no entry of a node, or of a type that nobody knows, has its place too', () => {
  expect(
    drawTrace([17, null, 'text', { at: 1 }, entry('x', 'fetch', 'a'), entry('x.y', 'fetch\u001b[2J', 'b\u009b')]),
  ).toEqual(['├─ 17', '├─ null', '├─ "text"', '├─ {"at":1}', '├─ fetch "a"  x', '└─ fetch\\x1b[2J "b\\x9b"  x.y']);
});

/** The nearest node above whose id is in the trace; null where there is none. */
function parentByPath(id: string, ids: ReadonlySet<string>): string | null {
  const parts = id.split('.');
  while (parts.pop() !== undefined) if (ids.has(parts.join('.'))) return parts.join('.');
  return null;
}

test('trace tree: of every run of the demo each entry is once under the node that its id says', () => {
  const byId = new Map(demoStrategies.map((strategy) => [strategy.id, strategy]));
  let nodes = 0;
  let failures = 0;
  for (const event of generateEvents({ count: 400, seed: 3, strategies: demoStrategies })) {
    const strategy = byId.get(event.strategyId);
    if (strategy === undefined || strategy.limits !== undefined) continue;
    const trace: TraceEntry[] = [];
    let failure: Trace['failure'] = null;
    try {
      evaluate(strategy, event, { trace, now: () => 0 });
    } catch (error) {
      failures += 1;
      failure = { nodeId: (error as { nodeId?: string }).nodeId ?? null };
    }
    const ids = new Set(trace.map(({ nodeId }) => nodeId ?? ''));
    const read: unknown[] = [];
    const visit = (node: TraceNode, parent: TraceNode | null): void => {
      for (const child of node.children) visit(child, node);
      if (!('type' in node.what)) return;
      read.push(node.what.nodeId);
      nodes += 1;
      // Of a run that failed, what is above may never have been evaluated.
      if (failure !== null) return;
      const above = parent !== null && 'type' in parent.what ? parent.what.nodeId : null;
      expect(above, node.what.nodeId ?? '').toBe(parentByPath(node.what.nodeId ?? '', ids));
    };
    for (const root of toTraceTree({ entries: trace, length: trace.length, failure })) visit(root, null);
    expect(read.sort()).toEqual(trace.map(({ nodeId }) => nodeId).sort());
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
      fc.option(id),
      (entries, length, at) => {
        const tree = toTraceTree({ entries, length, failure: at === null ? null : { nodeId: at } });
        const count = (nodes: readonly TraceNode[]): number =>
          nodes.reduce((sum, { what, children }) => sum + ('type' in what ? 1 : 0) + count(children), 0);
        expect(count(tree)).toBe(entries.length);
      },
    ),
  );
});
