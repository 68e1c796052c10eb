import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  executionObserverOptionsFrom,
} from '../../../producers/index.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { aGateway, anInput, aRequestInput } from '../../support/a-gateway.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { redisEnvironment } from '../../support/redis-target.ts';
import { aRequest } from '../../support/request.ts';
import { startRole, startWorker } from '../../support/worker.ts';

const secret = 'zqSecretzq';
const key = 'a key of sixteen characters';
const hashed = `hmac-sha256:${createHmac('sha256', key).update(secret).digest('hex')}`;

async function rulesEnvironment(): Promise<Record<string, string>> {
  const file = join(await createDirectory(), 'redact.json');
  const rules = [
    { do: 'mask', at: ['**.password', '**.content'] },
    { do: 'hash', at: 'externalUserId' },
    { do: 'drop', nodes: ['lookup'] },
    { do: 'mask', find: ['email'], with: '[mail]' },
  ];
  writeFileSync(file, JSON.stringify({ rules }));
  return { SLUICE_REDACT_FILE: file, SLUICE_REDACT_KEY: key };
}

const execution = {
  externalUserId: secret,
  errorMessage: 'no zq.ann@example.org',
  input: { user: { password: secret, level: 3 } },
  trace: [{ nodeId: 'n1', type: 'lookup', value: secret }],
};
const request = {
  requestBody: JSON.stringify({ messages: [{ role: 'user', content: secret }] }),
  responseBody: `data: ${JSON.stringify({ choices: [{ delta: { content: secret } }] })}\n\ndata: [DONE]\n\n`,
  isStream: true,
};

/** What workers store of these records, as text. */
async function storedBy(namespace: string, count: { executions: number; requests: number }) {
  const databaseUrl = await createTestDatabase();
  await startWorker(databaseUrl, namespace);
  await startRole(createCompletedRequest, databaseUrl, namespace);
  const client = await connect(databaseUrl);
  const rowsOf = async (table: string) => (await client.query(`select * from ${table}`)).rows;
  return until(async () => {
    const executions = await rowsOf('strategy_execution_log');
    const [requests, templates] = [await rowsOf('request'), await rowsOf('request_template')];
    const isThere = executions.length === count.executions && requests.length === count.requests;
    return isThere && { executions, text: JSON.stringify([executions, requests, templates]) };
  });
}

function expectRedacted({ executions, text }: Awaited<ReturnType<typeof storedBy>>): void {
  expect(text).not.toContain(secret);
  expect(text).not.toContain('zq.ann');
  for (const row of executions)
    expect(row).toMatchObject({
      external_user_id: hashed,
      error_message: 'no [mail]',
      input: { user: { password: '[redacted]', level: 3 } },
      trace: [{ nodeId: 'n1', type: 'lookup' }],
      notes: expect.stringMatching(/[45] values redacted/),
    });
  expect(text).toContain('[DONE]');
  expect(text.match(/values? redacted/g)?.length).toBeGreaterThan(1);
}

test('redaction: through the SDK into PostgreSQL, nothing that a rule hides gets there', async () => {
  const namespace = createNamespace();
  const environment = {
    ...redisEnvironment(inject('redisUrl')),
    ...(await rulesEnvironment()),
    SLUICE_NAMESPACE: namespace,
  };
  const quiet = { registry: new Registry(), logger: { warn: () => undefined } };
  const observer = createExecutionObserver({ ...executionObserverOptionsFrom(environment), ...quiet });
  const sender = createCompletedRequestSender({ ...completedRequestSenderOptionsFrom(environment), ...quiet });
  observer.record(anExecution({ status: 'error', ...execution }));
  await sender.begin(aRequest(request));
  await sender.send(aRequest(request));
  await observer.close({ timeoutMs: 30_000 });
  await sender.close({ timeoutMs: 30_000 });
  expectRedacted(await storedBy(namespace, { executions: 1, requests: 2 }));
});

test('redaction: through a gateway into PostgreSQL, by the same rules', async () => {
  const { send, namespace, log } = await aGateway(await rulesEnvironment());
  const ofExecution = await send(
    '/v1/executions',
    anInput({ status: 'error', ...execution, notes: 'zq.ann@example.org' }),
  );
  expect(ofExecution.body).toEqual({ accepted: 1, rejected: [] });
  const ofRequest = await send('/v1/requests', [
    aRequestInput(request),
    aRequestInput({ requestBody: { messages: [{ content: secret }] }, responseBody: 'zq.ann@example.org' }),
  ]);
  expect(ofRequest.body).toEqual({ accepted: 2, rejected: [] });
  expectRedacted(await storedBy(namespace, { executions: 1, requests: 2 }));
  expect(JSON.stringify(log)).not.toContain(secret);
});

test('redaction: a gateway does not start with rules that it cannot use', async () => {
  const file = join(await createDirectory(), 'redact.json');
  writeFileSync(file, '{"rules":[{"do":"mask","at":"inptu.a"}]}');
  await expect(aGateway({ SLUICE_REDACT_FILE: file })).rejects.toThrow('rules[0].at has the path "inptu.a"');
});

test('redaction: what waits on disk while Redis is away is redacted, too', async () => {
  const dir = await createDirectory();
  const observer = createExecutionObserver({
    redisUrl: 'redis://127.0.0.1:1',
    registry: new Registry(),
    logger: { warn: () => undefined },
    producer: { sampleRate: 1, spill: { dir, maxBytes: 10_000_000, fsyncMs: 0 } },
    redact: {
      rules: {
        rules: [
          { do: 'mask', at: '**.password' },
          { do: 'drop', at: ['externalUserId', 'trace'] },
        ],
      },
    },
  });
  onTestFinished(async () => void (await observer.close({ timeoutMs: 0 })));
  observer.record(anExecution({ ...execution, errorMessage: 'a marker that stays' }));
  const text = await until(() => {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
    return bytes.includes('a marker that stays') && bytes;
  });
  expect(text).not.toContain(secret);
});
