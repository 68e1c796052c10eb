import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetWorker } from '../../../dev/fleet/fleet.ts';
import { notReadyReason, watchFleet } from '../../../dev/fleet/fleet-watch.ts';
import { until } from '../../support/fixtures.ts';

test.each<[string, string | null, string, RegExp | null]>([
  [
    'is ready and has no outage',
    null,
    'sluice_worker_halted{role="execution-log"} 0\nsluice_database_outage{role="execution-log"} 0\n',
    null,
  ],
  ['has metrics of similar names', null, '# sluice_database_outage 1\nsluice_database_outage 10\n', null],
  ['is stopping', 'stopping', 'sluice_database_outage 1\n', null],
  ['has halted', 'halted: too many records are dead', '', /^has halted: .*dead-letters list/],
  ['cannot reach a server', 'PostgreSQL did not answer', '', /^waits: PostgreSQL did not answer$/],
  [
    'is refused every row',
    null,
    'a 1\nsluice_database_outage{role="execution-log"} 1\nb 2\n',
    /^waits for PostgreSQL to accept its rows/,
  ],
])('fleet watch: a worker that %s', (_kind, notReady, metrics, why) => {
  const said = notReadyReason({ notReady, metrics });
  if (why === null) expect(said).toBeNull();
  else expect(said).toMatch(why);
});

test('fleet watch: asks with the token, says each change once, and minds no worker that is away', async () => {
  let outage = 1;
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === '/readyz') return response.end('{"status":"ok"}');
    asked += 1;
    const isKnown = request.headers.authorization === 'Bearer secret';
    return response.end(isKnown ? `sluice_database_outage ${outage}\n` : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const workers: FleetWorker[] = [
    { name: 'worker-1', roles: ['execution-log'], url, pid: 1 },
    { name: 'worker-2', roles: ['execution-log'], url: 'http://127.0.0.1:1', pid: 2 },
    { name: 'worker-3', roles: ['execution-log'], url: null, pid: null },
  ];
  const lines: string[] = [];
  const watch = watchFleet({ workers, metricsToken: 'secret', say: (line) => lines.push(line) });
  onTestFinished(watch.stop);
  await until(() => lines.length === 1 && asked >= 4);
  outage = 0;
  await until(() => lines.length === 2 && asked >= 8);
  await watch.stop();
  expect(lines).toEqual([expect.stringMatching(/^worker-1 waits for PostgreSQL/), 'worker-1 is working again']);
});
