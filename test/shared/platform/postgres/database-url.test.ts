import { expect, test } from 'vitest';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { parseDatabaseUrl } from '../../../../shared/platform/postgres/database-url.ts';

test.each([
  ['postgresql://localhost', { hosts: [{ host: 'localhost' }], schema: 'public', targetSession: 'any' }],
  [
    'postgres://user:p%40ss%2Fword@db.example:5432/slu%20ice?schema=a',
    {
      hosts: [{ host: 'db.example', port: 5432 }],
      user: 'user',
      password: 'p@ss/word',
      database: 'slu ice',
      schema: 'a',
    },
  ],
  ['postgresql:///sluice?host=/run/postgresql', { hosts: [{ host: '/run/postgresql' }], database: 'sluice' }],
  ['postgresql://%2Frun%2Fpostgresql/sluice', { hosts: [{ host: '/run/postgresql' }], database: 'sluice' }],
  ['POSTGRESQL://[::1]:5433/x', { hosts: [{ host: '::1', port: 5433 }] }],
  ['postgresql://u:a@b@host/x', { hosts: [{ host: 'host' }], password: 'a@b' }],
  [
    'postgresql://a:1,b,[::2]:3/x?target_session_attrs=read-write',
    {
      hosts: [{ host: 'a', port: 1 }, { host: 'b' }, { host: '::2', port: 3 }],
      targetSession: 'read-write',
    },
  ],
  [
    'postgresql:///x?host=a,b&port=7',
    {
      hosts: [
        { host: 'a', port: 7 },
        { host: 'b', port: 7 },
      ],
    },
  ],
  ['postgresql://h/x?pgbouncer=true&statement_cache_size=0', { isPooled: true }],
  [
    'postgresql://h/x?sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem',
    { tls: { mode: 'verify-ca', rootCert: '/etc/ca.pem' } },
  ],
  ['postgresql://h/x?options=-c%20geqo%3Doff', { options: '-c geqo=off' }],
])('database url: %s', (url, expected) => {
  expect(parseDatabaseUrl(url)).toMatchObject(expected);
});

test.each(['Sluice', 'my-schema', 'a b', 'größe', '$x', 'public', 'a'.repeat(63)])(
  'database url: schema %j',
  (name) => {
    expect(parseDatabaseUrl(`postgresql://h/x?schema=${encodeURIComponent(name)}`).schema).toBe(name);
  },
);

const schemaRefusal = 'a schema of 1 to 63 bytes';

test.each([
  ['', 'a URL that starts with postgresql:// or postgres://'],
  ['localhost:5432', 'a URL that starts with postgresql:// or postgres://'],
  ['postgresql:5432', 'a URL that starts with postgresql:// or postgres://'],
  ['postgres:/db', 'a URL that starts with postgresql:// or postgres://'],
  ['redis://localhost', 'a URL that starts with postgresql:// or postgres://'],
  ['postgresqls://localhost', 'a URL that starts with postgresql:// or postgres://'],
  ['postgresql://a b/c', 'a URL that starts with postgresql:// or postgres://'],
  ['postgresql://s3cret%zz@h/c', 'is written as %25'],
  ['postgresql://h:65536/c', 'a URL that starts with postgresql:// or postgres://'],
  ['postgresql://h/c?port=s3cret', 'a parameter port from 1 to 65535'],
  ['postgresql://a,b,c/x?port=1,2', 'as many ports as hosts'],
  ['postgresql://h/c?schema=', schemaRefusal],
  ['postgresql://h/c?schema=s3%22cret', schemaRefusal],
  ['postgresql://h/c?schema=s3%27cret', schemaRefusal],
  ['postgresql://h/c?schema=s3%5Ccret', schemaRefusal],
  ['postgresql://h/c?schema=s3%0Acret', schemaRefusal],
  ['postgresql://h/c?schema=pg_s3cret', schemaRefusal],
  [`postgresql://h/c?schema=${encodeURIComponent('ä'.repeat(32))}`, schemaRefusal],
  ['postgresql://h/c?schema=a&schema=b', 'the parameter schema only once'],
  ['postgresql://h/c?connection_limit=1', 'no parameter connection_limit; use SLUICE_DATABASE_POOL_SIZE'],
  ['postgresql://h/c?pool_timeout=1', 'no parameter pool_timeout; use SLUICE_DATABASE_CONNECT_TIMEOUT_MS'],
  ['postgresql://h/c?statement_timeout=1', 'use SLUICE_DATABASE_STATEMENT_TIMEOUT_MS'],
  ['postgresql://h/c?ssl=true', 'use the parameter sslmode'],
  ['postgresql://h/c?gssencmode=disable', 'no parameter gssencmode'],
  ['postgresql://h/c?constructor=1', 'no parameter constructor'],
  ['postgresql://h/c?pgbouncer=s3cret', 'pgbouncer=true or false'],
  ['postgresql://h/c?statement_cache_size=100', 'statement_cache_size=0'],
  ['postgresql://h/c?sslmode=s3cret', 'sslmode=disable, allow, prefer, require, verify-ca, verify-full, no-verify'],
  ['postgresql://h/c?sslmode=verify-ca', 'with sslrootcert'],
  ['postgresql://h/c?sslmode=REQUIRE', 'sslmode=disable, allow'],
  ['postgresql://h/c?target_session_attrs=Primary', 'target_session_attrs=any'],
  ['postgresql://h/c?pgbouncer=TRUE', 'pgbouncer=true or false'],
  ['postgresql://h/c?schema=a$$b', 'consecutive dollar signs'],
  ['postgresql://h/c?sslmode=require&sslrootcert=system', 'only with sslmode=verify-full'],
  ['postgresql://h/c?sslmode=require&sslcert=a', 'sslcert and sslkey only together'],
  ['postgresql://h/c?sslrootcert=a', 'sslrootcert only with an sslmode that uses TLS'],
  ['postgresql://h/c?channel_binding=require', 'channel_binding=disable or prefer'],
  ['postgresql://h/c?target_session_attrs=prefer-standby', 'target_session_attrs=any, read-write'],
])('database url: %j is refused by name, and quoted nowhere', (url, message) => {
  expect(() => parseDatabaseUrl(url)).toThrow(message);
  expect(() => parseDatabaseUrl(url)).not.toThrow('s3');
  if (url !== '') expect(() => loadConfig({ DATABASE_URL: url }, ['database'])).toThrow(message);
});
