import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { serve } from '@hono/node-server';
import express from 'express';
import createFastify from 'fastify';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Execution } from '../../producers/executions/execution.ts';
import type { ExecutionRun } from '../../producers/executions/with-execution.ts';
import { until } from '../support/fixtures.ts';

type Observer = { record(execution: Execution): void };

/** The code of the page for a framework, as a module: only where the SDK is differs from what it says. */
async function codeOf(framework: string): Promise<Record<string, (...args: unknown[]) => never>> {
  const page = await readFile('docs/middlewares.md', 'utf8');
  const [, code] = new RegExp(`^\`\`\`js ${framework}\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  if (code === undefined) throw new Error(`docs/middlewares.md has no code for ${framework}`);
  const dir = resolve('node_modules/.cache/middlewares');
  await mkdir(dir, { recursive: true });
  const file = resolve(dir, `${framework}-${process.pid}.mjs`);
  await writeFile(file, code.replaceAll("'sluice'", JSON.stringify(pathToFileURL(resolve('producers/index.ts')).href)));
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

const subjectOf = () => ({ strategyId: 'bonus', strategyVersion: 3, strategyType: 'DSL_FULL', realmId: 'acme' });

/** Two server-sent events, and then an end that only comes when it is asked for. */
async function* events(isEndless: boolean) {
  yield 'data: 1\n\n';
  yield 'data: 2\n\n';
  if (isEndless) await new Promise(() => undefined);
}

const fill = (run: ExecutionRun): void => {
  run.points = 10;
};

async function portOf(server: Server): Promise<number> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const sse = 'text/event-stream';

/** By framework, what starts a service with the middleware of the page, and gives its port. */
const services: Record<string, (observer: Observer) => Promise<number>> = {
  async express(observer) {
    const { recordRuns, recordFailures } = await codeOf('express');
    const app = express();
    app.set('env', 'test');
    app.use(recordRuns?.(observer, subjectOf) as never);
    app.get('/json', (_request, response) => {
      fill(response.locals['run']);
      response.json({ ok: true });
    });
    app.get('/broken', async () => {
      throw new Error('broken');
    });
    app.get(['/stream', '/endless'], (request, response) => {
      Readable.from(events(request.path === '/endless')).pipe(response.type(sse));
    });
    app.use(recordFailures as never);
    return await portOf(createServer(app).listen(0, '127.0.0.1'));
  },
  async fastify(observer) {
    const { recordRuns } = await codeOf('fastify');
    const app = createFastify({ forceCloseConnections: true });
    onTestFinished(() => app.close());
    await app.register(recordRuns as never, { observer, subjectOf } as never);
    app.get('/json', async (request) => {
      fill((request as unknown as { run: ExecutionRun }).run);
      return { ok: true };
    });
    app.get('/broken', async () => {
      throw new Error('broken');
    });
    for (const path of ['/stream', '/endless'])
      app.get(path, (_request, reply) => reply.type(sse).send(Readable.from(events(path === '/endless'))));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as AddressInfo).port;
  },
  async hono(observer) {
    const { recordRuns } = await codeOf('hono');
    const app = new Hono<{ Variables: { run: ExecutionRun } }>();
    app.use(recordRuns?.(observer, subjectOf) as never);
    app.get('/json', (c) => {
      fill(c.get('run'));
      return c.json({ ok: true });
    });
    app.get('/broken', () => {
      throw new Error('broken');
    });
    app.onError((_error, c) => c.text('an error', 500));
    for (const path of ['/stream', '/endless'])
      app.get(path, (c) => {
        c.header('content-type', sse);
        return stream(c, async (out) => {
          for await (const event of events(path === '/endless')) await out.write(event);
        });
      });
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    return await portOf(server);
  },
};

describe.each(Object.entries(services))('middleware for %s', (_framework, start) => {
  async function open() {
    const records: Execution[] = [];
    const port = await start({ record: (execution) => void records.push(execution) });
    return { records, port, ask: (path: string) => fetch(`http://127.0.0.1:${port}${path}`) };
  }

  test('an answer is a run, with what its handler said of it', async () => {
    const { ask, records } = await open();
    expect(await (await ask('/json')).json()).toEqual({ ok: true });
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ ...subjectOf(), status: 'ok', points: 10 });
    expect(records[0]?.durationMs).toBeGreaterThan(0);
  });

  test('an error in a handler is a failed run', async () => {
    const { ask, records } = await open();
    expect((await ask('/broken')).status).toBe(500);
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ status: 'error', errorMessage: 'broken' });
  });

  test('HEAD is a run, too', async () => {
    const { port, records } = await open();
    await fetch(`http://127.0.0.1:${port}/json`, { method: 'HEAD' });
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ status: 'ok' });
  });

  test('a stream ends with its last event', async () => {
    const { ask, records } = await open();
    expect(await (await ask('/stream')).text()).toBe('data: 1\n\ndata: 2\n\n');
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ status: 'ok' });
  });

  test('a client that goes away in the middle of a stream ends it, as cancelled', async () => {
    const { port, records } = await open();
    const request = get({ port, host: '127.0.0.1', path: '/endless' });
    request.on('error', () => undefined);
    const [answer] = await once(request, 'response');
    await once(answer, 'data');
    expect(records).toEqual([]);
    request.destroy();
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({ status: 'cancelled', errorCode: 'DSL_CANCELLED' });
  });
});
