import type { Writable } from 'node:stream';
import { type Line, toText } from './line.ts';
import { printableJson } from './printable.ts';

/** Where results go: lines for a person, JSON for a program. Everything is made safe for a terminal here. */
export interface Output {
  /** the terminal's width; null if there is none, so that nothing is cut */
  columns: number | null;
  lines(lines: readonly Line[]): void;
  /** on one line, or indented for a person */
  json(value: unknown, indent?: number): void;
  /** one result, as JSON if requested */
  print<T>(
    result: T,
    flags: { json?: boolean | undefined },
    toLines: (result: T, terminal: { columns: number | null }) => readonly Line[],
  ): void;
  /** aborted when nobody reads any more, as after `| head` */
  closed: AbortSignal;
}

/** A stream that may be a terminal, such as standard output. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

/** @param environment decides on colours, together with the stream */
export function createOutput(environment: NodeJS.ProcessEnv, stream: OutputStream = process.stdout): Output {
  const columns = stream.isTTY === true ? (stream.columns ?? 80) : null;
  const options = { colours: wantsColours(environment, stream) };
  const closing = new AbortController();
  stream.on('error', () => closing.abort());
  const output: Output = {
    columns,
    lines(lines) {
      if (lines.length > 0) stream.write(`${lines.map((line) => toText(line, options)).join('\n')}\n`);
    },
    json(value, indent) {
      stream.write(`${printableJson(value, indent)}\n`);
    },
    print(result, { json }, toLines) {
      if (json) output.json(result);
      else output.lines(toLines(result, output));
    },
    closed: closing.signal,
  };
  return output;
}

/** @see https://no-color.org */
function wantsColours(environment: NodeJS.ProcessEnv, { isTTY }: OutputStream): boolean {
  return isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}
