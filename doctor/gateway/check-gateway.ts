import { type Finding, findingsOn } from '../finding.ts';
import type { GatewayFacts, GatewayProbe } from './gateway-facts.ts';

const on = findingsOn('gateway');

const dayMs = 86_400_000;
const warnBeforeMs = 14 * dayMs;

/** Checks a gateway by its files, and from the outside. */
export function checkGateway(facts: GatewayFacts, nowMs: number): Finding[] {
  const { tokens, tls, probe } = facts;
  return [
    ...(tokens.isSet ? [checkTokens(tokens.problem)] : []),
    ...(tls.isSet || tls.problem !== null ? [checkTls(tls, nowMs)] : []),
    ...checkProbe(probe, nowMs),
  ];
}

const notAtTheStart = 'until then no gateway starts, and one that runs goes on with what it has read before';

function checkTokens(problem: string | null): Finding {
  return problem === null ? on.ok('tokens', 'the file can be used') : on.failure('tokens', problem, notAtTheStart);
}

function checkTls({ problem, endsAtMs }: GatewayFacts['tls'], nowMs: number): Finding {
  if (problem !== null) return on.failure('tls', problem, notAtTheStart);
  return checkEnd('tls', endsAtMs, nowMs, 'replace the files; a running gateway reads them again by itself');
}

function checkProbe(probe: GatewayProbe, nowMs: number): Finding[] {
  if (probe.kind === 'not-asked') return [];
  const { url } = probe;
  if (probe.kind === 'silent')
    return [
      on.warning(
        'readiness',
        `nobody answers at ${url} (${probe.code})`,
        'start it, or run the doctor where it runs; without one, remove the variables SLUICE_GATEWAY_…',
      ),
    ];
  const { reason, asksForCertificates, certificateEndsAtMs, unusableFiles } = probe;
  return [
    reason !== null
      ? on.failure(
          'readiness',
          `it takes no records at ${url}: ${reason}`,
          'senders wait and repeat: see what is said of redis, and the log of the gateway',
        )
      : on.ok(
          'readiness',
          asksForCertificates
            ? `it answers at ${url}; only senders with a certificate may ask whether it takes records`
            : `it takes records at ${url}`,
        ),
    ...(certificateEndsAtMs === null
      ? []
      : [
          checkEnd(
            'certificate',
            certificateEndsAtMs,
            nowMs,
            'replace the files; if they are new, see why it does not read them (its log)',
          ),
        ]),
    ...(unusableFiles === null ? [] : [checkReload(unusableFiles)]),
  ];
}

function checkReload(unusable: readonly string[]): Finding {
  return unusable.length === 0
    ? on.ok('files', 'what it works with is what is in its files')
    : on.warning(
        'files',
        `these have changed and cannot be used: ${unusable.join(', ')}; it goes on with those from before`,
        'its log says what is wrong with them',
      );
}

function checkEnd(check: string, endsAtMs: number | null, nowMs: number, remedy: string): Finding {
  if (endsAtMs === null) return on.ok(check, 'the files can be used');
  const day = new Date(endsAtMs).toISOString().slice(0, 10);
  if (endsAtMs <= nowMs) return on.failure(check, `the certificate has expired on ${day}`, remedy);
  const days = Math.floor((endsAtMs - nowMs) / dayMs);
  if (endsAtMs - nowMs < warnBeforeMs)
    return on.warning(check, `the certificate expires on ${day}, in ${days} ${days === 1 ? 'day' : 'days'}`, remedy);
  return on.ok(check, `the certificate is valid until ${day}`);
}
