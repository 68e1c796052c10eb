import type { GatewayRoute, SenderCounts } from './gateway-route.ts';
import { sendBody } from './send-body.ts';

const mostLines = 500;
const mostBytes = 1_048_576;

/** Posts records as NDJSON: one body at a time, over a connection that stays open. */
export function createNdjsonPoster(route: GatewayRoute, path: string) {
  const lines: string[] = [];
  const counts: SenderCounts = { dropped: 0, refused: 0, inDoubt: 0 };
  const stop = new AbortController();
  let isClosed = false;
  let failure: unknown = null;
  let wake = (): void => undefined;

  const nextBody = (): string[] => {
    let bytes = 0;
    const end = lines.findIndex((line, index) => {
      bytes += line.length;
      return index === mostLines || (index > 0 && bytes > mostBytes);
    });
    return lines.slice(0, end === -1 ? lines.length : end);
  };

  const run = async (): Promise<void> => {
    for (;;) {
      const body = nextBody();
      if (body.length === 0) {
        if (isClosed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const taken = await sendBody(route, { path, body: body.join('') }, stop.signal);
      lines.splice(0, body.length);
      if (taken === null) {
        counts.inDoubt += body.length;
        counts.dropped += lines.length;
        return;
      }
      counts.refused += taken.rejected;
    }
  };
  const running = run().catch((error: unknown) => {
    failure = error;
  });

  return {
    counts,
    /** records that the gateway has not answered for */
    buffered: () => lines.length,
    /** @throws what has ended the sending */
    add(record: object): void {
      if (failure !== null) throw failure;
      lines.push(`${JSON.stringify(record)}\n`);
      wake();
    },
    /** Sends what there is, for at most so long. @throws what has ended the sending */
    async close(timeoutMs: number): Promise<void> {
      isClosed = true;
      wake();
      const timer = setTimeout(() => stop.abort(), timeoutMs);
      await running;
      clearTimeout(timer);
      if (failure !== null) throw failure;
    },
  };
}
