import { expect, test } from 'vitest';
import { createCredentials } from '../../../../console/server/access/credentials.ts';
import { issueSession, readSession, sessionMs } from '../../../../console/server/access/session.ts';
import { loadConfig } from '../../../../shared/platform/config/config.ts';

const credentialsOf = (read: string, realms: Record<string, string> = {}) =>
  createCredentials(
    loadConfig({ SLUICE_CONSOLE_READ_TOKEN: read, SLUICE_CONSOLE_REALM_TOKENS: JSON.stringify(realms) }),
  );
const credentials = credentialsOf('a-token-to-read-with', { 'ä:b.c': 'a-token-of-some-realm' });
const nowMs = 1_800_000_000_000;

function issue(id: string): string {
  const credential = credentials.byId(id);
  if (credential === null) throw new Error(`there is no ${id}`);
  return issueSession(credential, nowMs);
}

test.each(['read', 'realm:ä:b.c'])('session: that of %s is good until its time is over', (id) => {
  const session = issue(id);
  expect(readSession(session, credentials, nowMs)?.id).toBe(id);
  expect(readSession(session, credentials, nowMs + sessionMs - 1)?.id).toBe(id);
  expect(readSession(session, credentials, nowMs + sessionMs)).toBeNull();
});

test('session: it ends when the token is changed or taken away', () => {
  expect(readSession(issue('read'), credentialsOf('another-token-to-read'), nowMs)).toBeNull();
  expect(readSession(issue('realm:ä:b.c'), credentialsOf('a-token-to-read-with'), nowMs)).toBeNull();
});

test('session: one that was changed anywhere is none', () => {
  const session = issue('read');
  for (let at = 0; at < session.length; at += 1) {
    const other = session[at] === 'A' ? 'B' : 'A';
    const forged = `${session.slice(0, at)}${other}${session.slice(at + 1)}`;
    // The last character of a digest has bits that mean nothing; as text it is another one all the same.
    expect(readSession(forged, credentials, nowMs), String(at)).toBeNull();
  }
  const [content] = session.split('.');
  const longer = Buffer.from(JSON.stringify(['read', nowMs + 2 * sessionMs])).toString('base64url');
  for (const text of [
    '',
    '.',
    content,
    `${content}.`,
    `${session}.`,
    `${longer}.${session.split('.')[1]}`,
    '%',
    'null.x',
  ])
    expect(readSession(text ?? '', credentials, nowMs), text).toBeNull();
});
