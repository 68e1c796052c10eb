import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { readTokensFile } from '../../gateway/access/tokens-file.ts';
import { certificateEndsAt, readServerTls } from '../../gateway/http/tls-files.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import { toError } from '../../shared/platform/errors.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';

/** What is known of a gateway by its files, and by what it answers at its address. */
export interface GatewayFacts {
  tokens: FileFacts;
  tls: FileFacts & { endsAtMs: number | null };
  probe: GatewayProbe;
}

/** Files that a gateway reads at its start. */
interface FileFacts {
  /** whether there are any */
  isSet: boolean;
  /** why they cannot be used, without secrets; null when they can */
  problem: string | null;
}

export type GatewayProbe =
  /** its port is not known beforehand */
  | { kind: 'not-asked' }
  | { kind: 'silent'; url: string; code: string }
  | {
      kind: 'answered';
      url: string;
      /** why it takes no records; null when it does, or nobody without a certificate may ask */
      reason: string | null;
      asksForCertificates: boolean;
      /** of the certificate that it shows; null: plain HTTP */
      certificateEndsAtMs: number | null;
      /** files that have changed and that it cannot use, as it says itself; null: it does not say */
      unusableFiles: string[] | null;
    };

const wantsCertificate = /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE/;
const maxAnswerBytes = 4 * 1_048_576;

/** Reads the files of a gateway and asks it, in this machine's network, for at most `withinMs` twice. Null: nothing is said of a gateway. */
export async function readGatewayFacts(
  { gateway }: Pick<Config, 'gateway'>,
  environment: NodeJS.ProcessEnv,
  withinMs: number,
): Promise<GatewayFacts | null> {
  if (!Object.keys(environment).some((name) => name.startsWith('SLUICE_GATEWAY_'))) return null;
  const { tokensFile } = gateway;
  const tokens = tokensFile === null ? null : problemOf(() => readTokensFile(tokensFile));
  let endsAtMs: number | null = null;
  const tls = problemOf(() => {
    endsAtMs = certificateEndsAt(readServerTls(gateway));
  });
  return {
    tokens: { isSet: tokensFile !== null, problem: tokens },
    tls: { isSet: gateway.tlsCertFile !== null, problem: tls, endsAtMs },
    probe: await probe(gateway, withinMs),
  };
}

function problemOf(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (thrown) {
    return toError(thrown).message;
  }
}

async function probe(
  { host, port, tlsCertFile, metricsToken }: Config['gateway'],
  withinMs: number,
): Promise<GatewayProbe> {
  if (port === 0) return { kind: 'not-asked' };
  const url = `${tlsCertFile === null ? 'http' : 'https'}://${addressOf(host)}:${port}`;
  const ready = await ask(`${url}/readyz`, withinMs);
  const { certificateEndsAtMs } = ready;
  const nothingKnown = { url, reason: null, certificateEndsAtMs, unusableFiles: null };
  if (ready.code !== null)
    return wantsCertificate.test(ready.code)
      ? { kind: 'answered', ...nothingKnown, asksForCertificates: true }
      : { kind: 'silent', url, code: ready.code };
  const { reason } = (jsonOrNull(ready.text) ?? {}) as { reason?: unknown };
  const metrics = await ask(`${url}/metrics`, withinMs, metricsToken);
  return {
    ...nothingKnown,
    kind: 'answered',
    reason: ready.status === 200 ? null : typeof reason === 'string' ? reason : `status ${ready.status}`,
    asksForCertificates: false,
    unusableFiles: metrics.status === 200 ? unusableFilesIn(metrics.text) : null,
  };
}

/** Where a server that listens at this address is asked on its own machine. */
function addressOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function unusableFilesIn(metrics: string): string[] {
  return Array.from(
    metrics.matchAll(/^sluice_gateway_reload_failed\{files="(\w+)"\} 1$/gm),
    ([, files]) => files ?? '',
  );
}

interface HttpAnswer {
  /** of the error where there is no answer */
  code: string | null;
  status: number;
  text: string;
  certificateEndsAtMs: number | null;
}

/** Asks whoever is there, whatever its certificate: it is looked at, and no secret but the token for metrics is sent. */
function ask(url: string, withinMs: number, token: string | null = null): Promise<HttpAnswer> {
  const answer: HttpAnswer = { code: null, status: 0, text: '', certificateEndsAtMs: null };
  return new Promise((resolve) => {
    const options = {
      agent: false,
      rejectUnauthorized: false,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(withinMs),
    };
    const call = (url.startsWith('https:') ? requestTls : requestPlain)(url, options, (response) => {
      answer.status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        answer.text += text;
        if (answer.text.length > maxAnswerBytes) response.destroy(new Error('too long'));
      });
      response.once('close', () => resolve(answer));
    });
    call.once('socket', (socket) =>
      socket.once('secureConnect', () => {
        const { valid_to } = (socket as TLSSocket).getPeerCertificate();
        answer.certificateEndsAtMs = Date.parse(valid_to);
      }),
    );
    call.once('error', (error: NodeJS.ErrnoException) => resolve({ ...answer, code: error.code ?? error.name }));
    call.end();
  });
}
