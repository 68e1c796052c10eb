import { pause } from '../../shared/platform/deadline.ts';
import type { GatewayRoute } from './gateway-route.ts';

/** What an answer says of the records of its body. */
interface Answer {
  accepted?: number;
  rejected?: readonly unknown[];
  rejectedMore?: number;
}

/** Those of a body. */
export interface Taken {
  accepted: number;
  rejected: number;
}

const answerWithinMs = 30_000;
/** Where the gateway does not name a time. */
const repeatAfterMs = 250;

/**
 * Sends a body, and sends it again while there is no answer, or one that asks for that. Its records have ids, so what is sent
 * twice is stored once.
 *
 * @returns null when the signal aborts before there is an answer: then nobody knows
 * @throws Error when the gateway does not let this sender in
 */
export async function sendBody(
  { url, token }: Pick<GatewayRoute, 'url' | 'token'>,
  { method = 'POST', path, body }: { method?: 'POST' | 'PUT'; path: string; body: string },
  signal: AbortSignal,
): Promise<Taken | null> {
  const headers = { 'content-type': 'application/x-ndjson', ...(token && { authorization: `Bearer ${token}` }) };
  const send = async () => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    const answer = await fetch(`${url}${path}`, { method, headers, body, signal: within });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
  };
  while (!signal.aborted) {
    const answer = await send().catch(() => null);
    if (answer !== null && isFinal(answer.status)) return toTaken(answer);
    await pause(Number(answer?.retryAfter ?? 0) * 1_000 || repeatAfterMs, signal);
  }
  return null;
}

/** Not so: the gateway is away, full or restarting, or the sender too fast. */
function isFinal(status: number): boolean {
  return status < 500 && ![408, 429].includes(status);
}

function toTaken({ status, text }: { status: number; text: string }): Taken {
  const { accepted = 0, rejected, rejectedMore = 0 } = JSON.parse(text) as Answer;
  // Where no record is accepted, the status says what is wrong with them; without their list it is about the sender.
  if (status >= 400 && rejected === undefined) throw new Error(`the gateway answers ${status}: ${text}`);
  return { accepted, rejected: (rejected?.length ?? 0) + rejectedMore };
}
