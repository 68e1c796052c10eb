/** The console's API: its answers and errors. Its addresses are relative, because the console may be at a sub-path. */

export class ApiError extends Error {
  /**
   * @param {number} status 0: there was no answer
   * @param {string} message for a person
   */
  constructor(status, message) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** Longer than any statement behind an answer may take: the page does not wait for a connection that broke without notice. */
const patienceMs = 30_000;

/** @typedef {Record<string, string | number | boolean | null | undefined>} Query null and undefined are left out */

/**
 * @param {string} path below /api/v1/
 * @param {Query} [query]
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export function get(path, query = {}, signal = null) {
  const signals = [AbortSignal.timeout(patienceMs), ...(signal === null ? [] : [signal])];
  return ask(toUrl(`api/v1/${path}`, query), { signal: AbortSignal.any(signals) });
}

/**
 * @param {string} path below /api/v1/
 * @param {unknown} [body]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export function post(path, body = {}) {
  return ask(`api/v1/${path}`, toJsonBody('POST', body));
}

/**
 * Logs in: a cookie keeps the session.
 *
 * @param {string} token
 * @throws {ApiError}
 */
export async function logIn(token) {
  await ask('login', toJsonBody('POST', { token }));
}

/** Ends this browser's session. */
export async function logOut() {
  await ask('api/v1/session', { method: 'DELETE' });
}

/**
 * @param {string} method
 * @param {unknown} body
 * @returns {RequestInit}
 */
function toJsonBody(method, body) {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * @param {string} path
 * @param {Query} query
 */
function toUrl(path, query) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value == null || value === '' ? [] : [[name, `${value}`]],
  );
  const search = new URLSearchParams(given).toString();
  return search === '' ? path : `${path}?${search}`;
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function ask(url, options) {
  const response = await fetch(url, { ...options, cache: 'no-store', credentials: 'same-origin' }).catch((error) => {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The console does not answer. It may be restarting, or the connection is lost.');
  });
  if (response.status === 204) return null;
  const body = await response.json().catch(() => undefined);
  if (response.ok && body === undefined) throw new ApiError(0, 'The console’s answer was cut off.');
  if (response.ok) return body;
  throw new ApiError(response.status, toMessage(response.status, body));
}

/**
 * @param {number} status
 * @param {any} problem as in RFC 9457, or anything that a proxy between here and the console sends
 */
function toMessage(status, problem) {
  const detail = typeof problem?.detail === 'string' ? problem.detail : `The console answered with status ${status}.`;
  const errors = Array.isArray(problem?.errors) ? problem.errors : [];
  return [detail, ...errors.map((/** @type {any} */ { field, message }) => `${field}: ${message}`)].join(' · ');
}
