import { toError, UsageError } from '../../../shared/platform/errors.ts';

/** The response to a request. */
export interface HttpAnswer {
  status: number;
  /** text, up to the requested length */
  body: string;
  /** true: the response was longer */
  isCut: boolean;
}

/** Parses a URL to send to. @throws UsageError if it is not http or https, or contains a password */
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

/** Parses headers of the form `Name: value`. @throws UsageError, without the value, if one is invalid */
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
 * Posts JSON and reads the response, whatever its status. It does not follow redirects: the data is sent nowhere else.
 *
 * @throws Error if there is no response in time
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
  // Leaving the loop early cancels the rest.
  for await (const part of body ?? []) {
    parts.push(part.subarray(0, maxBytes - bytes));
    bytes += part.length;
    if (bytes > maxBytes) break;
  }
  return { body: new TextDecoder().decode(Buffer.concat(parts)), isCut: bytes > maxBytes };
}
