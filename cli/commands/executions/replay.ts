import { readFile } from 'node:fs/promises';
import type { StoredExecution } from '../../../queries/executions/one.ts';
import { toError, UsageError } from '../../../shared/platform/errors.ts';
import { confirm } from '../../confirm.ts';
import type { Line } from '../../output/line.ts';
import type { Output } from '../../output/output.ts';
import { type ReplayBody, toReplayBody } from '../../output/run-shapes.ts';
import { type HttpAnswer, parseHeaders, parseTarget, postJson } from './post-json.ts';

export interface ReplayFlags {
  url?: string;
  header?: string[];
  program?: string;
  timeout: number;
  yes?: boolean;
  json?: boolean;
}

const maxAnswerBytes = 1024 * 1024;

/** Parses what does not need the row, so that a mistake is reported before anything is done. @throws UsageError */
export async function readReplayFlags({ url, header = [], program }: ReplayFlags) {
  return {
    target: url === undefined ? null : parseTarget(url),
    headers: parseHeaders(header),
    program: program === undefined ? null : await readProgram(program),
  };
}

async function readProgram(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (thrown) {
    throw new UsageError(`--program: ${toError(thrown).message}`);
  }
}

/**
 * Prints the request that repeats a run, or posts it and prints the response.
 *
 * @returns the exit code: 1 if it was not sent, or the response was not a success
 */
export async function replayExecution(
  execution: StoredExecution,
  { target, headers, program }: Awaited<ReturnType<typeof readReplayFlags>>,
  { flags, output, notes }: { flags: ReplayFlags; output: Output; notes: Output },
): Promise<number> {
  const { body, remarks, isComplete } = toReplayBody(execution, program);
  notes.lines(remarks.map((remark): Line => ['sluice: ', { text: remark, tone: 'warning' }]));
  if (target === null) {
    output.json(body, flags.json ? 0 : 2);
    return 0;
  }
  if (!isComplete) throw new Error('nothing was sent: the simulation would reject this request');
  target.pathname = target.pathname.replaceAll(/%7Bid%7D/gi, encodeURIComponent(execution.strategyId));
  const question = `Send this run and its input to ${target.origin}${target.pathname}?`;
  if (!(await confirm(question, { yes: flags.yes === true }))) {
    notes.lines(['sluice: nothing was sent']);
    return 1;
  }
  const json = JSON.stringify(body);
  const answer = await postJson(target, json, { headers, timeoutMs: flags.timeout * 1_000, maxBytes: maxAnswerBytes });
  report(execution, body, answer, { flags, output });
  return answer.status >= 200 && answer.status < 300 ? 0 : 1;
}

function report(
  execution: StoredExecution,
  request: ReplayBody,
  { status, body, isCut }: HttpAnswer,
  { flags, output }: { flags: ReplayFlags; output: Output },
): void {
  const parsed = isCut ? undefined : jsonIn(body);
  if (flags.json) {
    output.json({ request, status, response: parsed ?? body, isCut });
    return;
  }
  output.lines([`status ${status}${isCut ? `, first ${maxAnswerBytes} bytes of the response:` : ''}`]);
  if (body === '') return;
  if (parsed === undefined) output.lines(body.split('\n'));
  else output.json(parsed, 2);
  if (typeof parsed !== 'object' || parsed === null || !('points' in parsed)) return;
  const simulated = describe(parsed.points, 'caseName' in parsed ? parsed.caseName : null);
  const recorded = describe(execution.points, execution.caseName);
  output.lines([
    simulated === recorded ? `same as recorded: ${recorded}` : `recorded ${recorded}; simulated ${simulated}`,
  ]);
}

function describe(points: unknown, caseName: unknown): string {
  return `${JSON.stringify(points)} points, ${caseName === null ? 'no case' : `case ${typeof caseName === 'string' ? caseName : JSON.stringify(caseName)}`}`;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
