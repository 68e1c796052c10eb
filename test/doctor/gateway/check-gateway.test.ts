import { expect, test } from 'vitest';
import { checkGateway } from '../../../doctor/gateway/check-gateway.ts';
import type { GatewayFacts, GatewayProbe } from '../../../doctor/gateway/gateway-facts.ts';
import { findingOf } from '../../support/finding-of.ts';

const nowMs = Date.parse('2026-05-01T12:00:00Z');
const inDays = (days: number): number => nowMs + days * 86_400_000;
const answered = {
  kind: 'answered',
  url: 'https://127.0.0.1:9466',
  ...{ reason: null, asksForCertificates: false, certificateEndsAtMs: inDays(60), unusableFiles: [] },
} satisfies GatewayProbe;

function check(facts: Partial<GatewayFacts>) {
  const findings = checkGateway(
    {
      tokens: { isSet: true, problem: null },
      tls: { isSet: true, problem: null, endsAtMs: inDays(60) },
      probe: answered,
      ...facts,
    },
    nowMs,
  );
  return { findings, of: (name: string) => findingOf(findings, name) };
}

test('gateway: one that takes records, with sound files, is all ok', () => {
  const { findings } = check({});
  expect(findings.map(({ check: name, level }) => `${name} ${level}`)).toEqual([
    'tokens ok',
    'tls ok',
    'readiness ok',
    'certificate ok',
    'files ok',
  ]);
});

test('gateway: files that cannot be used are failures, in its own words', () => {
  const { of } = check({
    tokens: { isSet: true, problem: 'SLUICE_GATEWAY_TOKENS_FILE: "/x" cannot be read (EACCES)' },
    tls: { isSet: true, problem: 'SLUICE_GATEWAY_TLS_KEY_FILE: "/y" cannot be read (ENOENT)', endsAtMs: null },
  });
  expect(of('tokens')).toMatchObject({
    level: 'failure',
    text: expect.stringContaining('"/x" cannot be read (EACCES)'),
  });
  expect(of('tls')).toMatchObject({ level: 'failure', text: expect.stringContaining('"/y" cannot be read (ENOENT)') });
});

test.each([
  [15, 'ok', 'valid until 2026-05-16'],
  [13.5, 'warning', 'expires on 2026-05-15, in 13 days'],
  [1, 'warning', 'expires on 2026-05-02, in 1 day '],
  [0, 'failure', 'has expired on 2026-05-01'],
])(
  'gateway: a certificate that ends in %s days is told as %s, in the file and where it is shown',
  (days, level, text) => {
    const endsAtMs = inDays(days);
    const { of } = check({
      tls: { isSet: true, problem: null, endsAtMs },
      probe: { ...answered, certificateEndsAtMs: endsAtMs },
    });
    for (const name of ['tls', 'certificate'])
      expect(of(name)).toMatchObject({ level, text: expect.stringContaining(text) });
  },
);

test('gateway: why it takes no records is a failure, nobody there a warning', () => {
  expect(check({ probe: { ...answered, reason: 'Redis does not take records' } }).of('readiness')).toMatchObject({
    level: 'failure',
    text: expect.stringContaining('Redis does not take records'),
  });
  const silent = { kind: 'silent', url: 'http://127.0.0.1:9466', code: 'ECONNREFUSED' } as const;
  expect(check({ probe: silent }).of('readiness')).toMatchObject({
    level: 'warning',
    text: expect.stringContaining('ECONNREFUSED'),
  });
  expect(check({ probe: { kind: 'not-asked' } }).findings.map(({ check: name }) => name)).toEqual(['tokens', 'tls']);
});

test('gateway: one that asks for certificates is not asked whether it is ready, and is no failure', () => {
  const { of } = check({ probe: { ...answered, asksForCertificates: true, unusableFiles: null } });
  expect(of('readiness')).toMatchObject({
    level: 'ok',
    text: expect.stringContaining('only senders with a certificate'),
  });
});

test('gateway: changed files that it cannot use are a warning', () => {
  expect(check({ probe: { ...answered, unusableFiles: ['tokens'] } }).of('files')).toMatchObject({
    level: 'warning',
    text: expect.stringContaining('tokens'),
  });
});

test('gateway: plain HTTP without tokens has nothing to say of files', () => {
  const { findings } = check({
    tokens: { isSet: false, problem: null },
    tls: { isSet: false, problem: null, endsAtMs: null },
    probe: { ...answered, certificateEndsAtMs: null, unusableFiles: null },
  });
  expect(findings.map(({ check: name }) => name)).toEqual(['readiness']);
});
