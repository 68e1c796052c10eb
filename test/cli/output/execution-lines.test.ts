import { expect, test } from 'vitest';
import { toExecutionTable } from '../../../cli/output/execution-lines.ts';
import { toText } from '../../../cli/output/line.ts';
import { widthOf } from '../../../cli/output/width.ts';
import type { ExecutionSummary } from '../../../queries/executions/summary.ts';

const summary: ExecutionSummary = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  recordedAt: new Date('2026-03-03T10:00:00Z'),
  strategyId: '日本語の戦略'.repeat(5),
  strategyVersion: 3,
  strategyType: 'DSL_FULL',
  realmId: null,
  externalGameId: null,
  externalTaskId: null,
  externalUserId: 'user-1',
  status: 'ok',
  errorCode: null,
  errorMessage: null,
  failedNodeId: null,
  points: 40,
  caseName: '👩‍👩‍👧 case \u001b[2J',
  durationMs: 2,
  nodesExecuted: 3,
  traceLength: 0,
  sampled: true,
  sampleRate: 1,
  parentStrategyId: null,
  astHash: null,
  attempt: 1,
  notes: null,
  traceId: null,
  spanId: null,
};

test.each([40, 60, 80, 120, 400])('execution table: on %i columns no line is wider, and the id is whole', (columns) => {
  const lines = toExecutionTable([summary], { columns, withStrategy: true }).map((line) =>
    toText(line, { colours: false }),
  );
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  const words = lines.flatMap((line) => line.split(/ +/));
  expect(words).toEqual(expect.arrayContaining([summary.id, summary.recordedAt.toISOString()]));
  expect(lines[lines.length / 2]).toMatch(new RegExp(`^${summary.id}( |$)`));
  expect(lines.join('')).not.toContain('\u001b');
});
