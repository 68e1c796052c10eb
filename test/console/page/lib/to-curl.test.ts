import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Body } from '../../../../console/page/lib/conversation/conversation.d.ts';
import { pageModule } from '../../../support/page-module.ts';

interface Sent {
  method: string;
  path: string;
  body: Body;
}
const { toCurlCommand } = await pageModule<{ toCurlCommand(sent: Sent, shape: string | null): string }>(
  'lib/to-curl.js',
);

const aBody = (body: string, changes: Partial<Body> = {}): Body => ({
  body,
  encoding: 'utf8',
  bytes: Buffer.byteLength(body),
  isCut: false,
  ...changes,
});
const sent = (changes: Partial<Sent> = {}): Sent => ({
  method: 'POST',
  path: '/v1/responses',
  body: aBody('{"model":"m"}'),
  ...changes,
});

/** What a shell would run: the arguments of curl, and what it reads from its input. */
async function run(command: string): Promise<{ args: string[]; input: string }> {
  const fake = `curl() { printf '%s\\0' "$@" | base64 -w0; echo; case "$*" in *@-*) base64 -w0;; esac; }`;
  const running = promisify(execFile)('sh');
  running.child.stdin?.end(`BASE_URL=http://b; API_KEY=k\n${fake}\n${command}\n`);
  const { stdout } = await running;
  const [args = '', input = ''] = stdout.split('\n').map((line) => Buffer.from(line, 'base64').toString());
  return { args: args.split('\0').slice(0, -1), input };
}

test('curl: the command has method, address and body, and a key only by the name of a variable', () => {
  expect(toCurlCommand(sent(), 'openai-responses')).toBe(
    [
      `curl "$BASE_URL"'/v1/responses'`,
      `-X 'POST'`,
      `-H "authorization: Bearer $API_KEY"`,
      `-H 'content-type: application/json'`,
      `--data-raw '{"model":"m"}'`,
    ].join(' \\\n  '),
  );
  expect(toCurlCommand(sent(), 'anthropic-messages')).toContain('"x-api-key: $API_KEY"');
  expect(toCurlCommand(sent(), 'gemini')).toContain('"x-goog-api-key: $API_KEY"');
});

test('curl: a key in the address is left out', () => {
  const path = '/v1beta/models/g:generateContent?alt=sse&key=AIzaSECRET&API_KEY=SECRET&x=1';
  const command = toCurlCommand(sent({ path }), 'gemini');
  expect(command).toContain(`'/v1beta/models/g:generateContent?alt=sse&x=1'`);
  expect(command).not.toContain('SECRET');
});

test('curl: a body that was cut says so, and one that is empty is left out', () => {
  expect(toCurlCommand(sent({ body: aBody('{"a"', { isCut: true }) }), null)).toMatch(/^# Only the beginning/);
  expect(toCurlCommand(sent({ method: 'GET', body: aBody('') }), null)).not.toContain('data');
});

test('curl: whatever the body and the address are, the shell passes on exactly them', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom("'", '"', '$', '`', '\\', '\n', '!', ';', 'BODY', '\n\nBODY\n', '\x1b[201~', '\r'),
    }),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (body, tail) => {
      const wellFormed = body.toWellFormed().replaceAll('\0', '');
      const path = `/v1/x${tail.toWellFormed().replaceAll('\0', '').replaceAll('?', '')}`;
      const command = toCurlCommand(sent({ path, body: aBody(wellFormed) }), null);
      // Nothing in it drives the terminal that it is pasted into.
      expect(command).not.toMatch(/[^\P{Cc}\t\n]/u);
      const { args, input } = await run(command);
      const data = args.indexOf('--data-raw');
      const given = wellFormed === '' ? '' : data < 0 ? input : args[data + 1];
      expect(given).toBe(wellFormed);
      expect(args[0]).toMatch(/^http:\/\/b\/v1\/x/);
    }),
    { numRuns: 15 },
  );
});

test('curl: a long body goes through the input, whatever words are in it', async () => {
  const body = `${'x'.repeat(150_000)}\nBODY\nBODY_\n'$(false)'`;
  const { input } = await run(toCurlCommand(sent({ body: aBody(body) }), null));
  expect(input).toBe(`${body}\n`);
});

test('curl: a body of bytes is sent as its bytes', async () => {
  const bytes = Buffer.from([0, 1, 255, 10]);
  const command = toCurlCommand(sent({ body: aBody(bytes.toString('base64'), { encoding: 'base64' }) }), null);
  expect(command).toContain(bytes.toString('base64'));
  expect(command).toContain('base64 -d');
});
