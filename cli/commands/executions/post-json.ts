import { toError, UsageError } from '../../../shared/platform/errors.ts';

/** How somebody answered. */
export interface HttpAnswer {
  status: number;
  /** text, at most so much as was asked for */
  body: string;
  /** true: it was longer */
  isCut: boolean;
}

/** Reads a URL that something is to be sent to. @throws UsageError when it is none of http or https, or has a password in it */
export function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError('--url must start with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('--url must not contain a user or password: give them with --header');
  }
  return url;
}

/** Reads headers, each as `Name: value`. @throws UsageError, without the value, when one is none */
export function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    try {
      if (colon < 1) throw new TypeError('no name');
      headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    } catch {
      throw new UsageError("--header must have the form 'X-API-Key: …'");
    }
  }
  return headers;
}

/**
 * Posts JSON and reads the answer, whatever its status. A redirection is an answer, too: what is sent goes nowhere else.
 *
 * @throws Error when there is no answer within the time
 */
export async function postJson(
  url: URL,
  json: string,
  options: { headers: Headers; timeoutMs: number; maxBytes: number },
): Promise<HttpAnswer> {
  const headers = new Headers(options.headers);
  headers.set('content-type', 'application/json');
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const answer = await fetch(url, { method: 'POST', headers, body: json, redirect: 'manual', signal });
    return { status: answer.status, ...(await readBounded(answer.body, options.maxBytes)) };
  } catch (thrown) {
    const { name, message, cause } = toError(thrown);
    const why = name === 'TimeoutError' ? `no response within ${options.timeoutMs / 1_000} s` : message;
    const behind = cause === undefined ? '' : `: ${toError(cause).message}`;
    throw new Error(`${url.origin}: ${why}${behind}`, { cause: thrown });
  }
}

async function readBounded(body: ReadableStream<Uint8Array> | null, maxBytes: number) {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels what is still to come.
  for await (const part of body ?? []) {
    parts.push(part.subarray(0, maxBytes - bytes));
    bytes += part.length;
    if (bytes > maxBytes) break;
  }
  return { body: new TextDecoder().decode(Buffer.concat(parts)), isCut: bytes > maxBytes };
}
