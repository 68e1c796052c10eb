// @ts-expect-error It has no declarations. The page's own check compares it with the type that it is given here.
import { toReplayBody as replayBodyOfPage } from '../../console/page/lib/replay-body.js';
import type { ToReplayBody, ToTraceTree } from '../../console/page/lib/run-shapes.d.ts';
// @ts-expect-error as above
import { toTraceTree as traceTreeOfPage } from '../../console/page/lib/to-trace-tree.js';

export type { ReplayBody, TraceNode, TraceTree } from '../../console/page/lib/run-shapes.d.ts';

/** The page's JavaScript, which the browser loads as it is, decides what a run's row becomes: once for both. */
export const toReplayBody: ToReplayBody = replayBodyOfPage;
export const toTraceTree: ToTraceTree = traceTreeOfPage;
