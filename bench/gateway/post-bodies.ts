import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Execution } from '../../producers/index.ts';
import type { Rows } from '../rows.ts';

export type BodyEncoding = 'identity' | 'gzip';

const rowsPerBody = 500;
const connections = 2;
/** The fastest: what it leaves is a third larger than with zlib's own default, at a third of the time. */
const gzipLevel = 1;

/** How rows get into bodies. */
export interface PostOptions {
  url: string;
  encoding: BodyEncoding;
  /** entries of a trace that a sender keeps, as the SDK does */
  traceLimit: number;
}

/** Posts executions as NDJSON over connections that stay open, each of which waits for its answer. */
export function createPoster({ url, encoding, traceLimit }: PostOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const compress = promisify(gzip);
  const toLine = (execution: Execution): string => `${JSON.stringify(cutTrace(execution, traceLimit))}\n`;

  /** @throws Error when the gateway does not take all of it, but for 503, after which it is sent again */
  const post = async (executions: readonly Execution[]): Promise<void> => {
    const text = executions.map(toLine).join('');
    const body = encoding === 'gzip' ? await compress(text, { level: gzipLevel }) : Buffer.from(text);
    for (;;) {
      const answer = await send(agent, url, encoding, body);
      if (answer.status === 503) {
        await sleep(answer.retryAfterMs);
        continue;
      }
      const { accepted = 0 } = JSON.parse(answer.text) as { accepted?: number };
      if (answer.status === 202 && accepted === executions.length) return;
      throw new Error(`the gateway answered ${answer.status}: ${answer.text.slice(0, 1_000)}`);
    }
  };

  return {
    post,
    /** Posts the first `count` rows. Resolves when all of them are answered. */
    async postAll(rows: Rows, count: number): Promise<void> {
      let next = 0;
      const sendInTurn = async (): Promise<void> => {
        while (next < count) {
          const first = next;
          next = Math.min(count, first + rowsPerBody);
          await post(Array.from({ length: next - first }, (_, index) => rows.execution(first + index)));
        }
      };
      await Promise.all(Array.from({ length: connections }, sendInTurn));
    },
    close: (): void => agent.destroy(),
  };
}

function send(agent: Agent, url: string, encoding: BodyEncoding, body: Buffer) {
  return new Promise<{ status: number; retryAfterMs: number; text: string }>((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-ndjson',
      'content-length': body.length,
      ...(encoding === 'gzip' && { 'content-encoding': 'gzip' }),
    };
    const sent = request(`${url}/v1/executions`, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          retryAfterMs: Number(answer.headers['retry-after'] ?? 1) * 1_000,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function cutTrace(execution: Execution, limit: number): Execution {
  const { trace } = execution;
  if (trace == null || limit <= 0 || trace.length <= limit) return execution;
  const tail = Math.floor(limit / 2);
  return { ...execution, trace: [...trace.slice(0, limit - tail), ...trace.slice(trace.length - tail)] };
}
