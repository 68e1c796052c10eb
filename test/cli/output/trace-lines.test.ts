import { expect, test } from 'vitest';
import { toText } from '../../../cli/output/line.ts';
import { toTraceTree } from '../../../cli/output/run-shapes.ts';
import { toTraceLines } from '../../../cli/output/trace-lines.ts';

const draw = (entries: readonly unknown[], run = {}, columns: number | null = null): string[] =>
  toTraceLines(toTraceTree(entries, run), { columns }).map((line) => toText(line, { colours: false }));

test('trace lines: a tree with what each node came to, its branch, its path and its id', () => {
  const entries = [
    { nodeId: 'fresh.compare.0.field.0', type: 'field', value: 0.5, path: 'data.age' },
    { nodeId: 'fresh.compare.0.literal.1', type: 'literal', value: 0 },
    { nodeId: 'fresh.compare.0', type: 'compare', value: true },
    { nodeId: 'fresh', type: 'rule', value: true, branch: 'match' },
    { nodeId: 'fresh.assign_points.0.literal.0', type: 'literal', value: 40 },
    { nodeId: 'fresh.assign_points.0', type: 'assign_points', value: 40, branch: 'match' },
  ];
  expect(draw(entries)).toEqual([
    '└─ rule true (match)  fresh',
    '   ├─ compare true  fresh.compare.0',
    '   │  ├─ field data.age 0.5  fresh.compare.0.field.0',
    '   │  └─ literal 0  fresh.compare.0.literal.1',
    '   └─ assign_points 40 (match)  fresh.assign_points.0',
    '      └─ literal 40  fresh.assign_points.0.literal.0',
  ]);
});

test('trace lines: what is left out, what did not end, and where the run failed', () => {
  const entries = [
    { nodeId: 'a', type: 'rule', value: false, branch: 'skip' },
    { nodeId: 'r.compare.0.field.0', type: 'field', value: 7 },
  ];
  expect(draw(entries, { failedNodeId: 'r.compare.0', traceLength: 9 })).toEqual([
    '├─ rule false (skip)  a',
    '├─ … 7 entries were not kept …',
    '└─ rule did not finish  r',
    '   └─ ✗ compare failed here  r.compare.0',
    '      └─ field 7  r.compare.0.field.0',
  ]);
});

test('trace lines: it is said when the nesting is inferred', () => {
  const entries = [
    { nodeId: 'a', type: 'literal', value: true },
    { nodeId: 'b', type: 'not', value: false },
  ];
  expect(draw(entries)).toEqual([
    'Node ids do not determine the whole tree: some nesting is inferred from node types.',
    '└─ not false  b',
    '   └─ literal true  a',
  ]);
});

test('trace lines: what is no entry of a node, or speaks to the terminal, has its place too', () => {
  const hostile = { nodeId: 'x.y', type: 'fetch\u001b[2J', value: 'b\u009b' };
  expect(draw([17, null, 'text', { at: 1 }, hostile])).toEqual([
    '├─ ? 17',
    '├─ ? null',
    '├─ ? "text"',
    '├─ ? {"at":1}',
    '└─ fetch\\x1b[2J "b\\x9b"  x.y',
  ]);
});

test('trace lines: on a terminal they are cut at its edge', () => {
  expect(draw([{ nodeId: 'a', type: 'literal', value: 'x'.repeat(50) }], {}, 20)).toEqual(['└─ literal "xxxxxxx…']);
});

test('trace lines: a trace of thousands of nodes, each in the one before, is drawn', () => {
  const entries = Array.from({ length: 5_000 }, (_, n) => ({ nodeId: `n${n}`, type: n === 0 ? 'literal' : 'not' }));
  // And the line that says how it was nested.
  expect(draw(entries, {}, 80)).toHaveLength(5_001);
});
