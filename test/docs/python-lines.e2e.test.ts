import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { createDirectory, createNamespace, openQueue } from '../support/fixtures.ts';
import { findPython, startPython } from '../support/python.ts';
import { recordsOf } from '../support/records-of.ts';
import { startRestartableGateway } from '../support/restartable-gateway.ts';

/** As a service of the original records, and stops. */
const service = `
import asyncio

async def main():
    await dsl_execution_observer.record(
        strategyId="bonus", strategyVersion=3, strategyType="DSL_FULL", realmId="acme", externalGameId="game-1",
        externalTaskId="task-1", externalUserId="user-1", status="error", errorCode="DSL_DIV_BY_ZERO", points=None,
        caseName=None, durationMs=1.5, nodesExecuted=1, trace=[{"nodeId": "n1", "type": "literal", "value": 10}],
        parentStrategyId=None,
    )
    await dsl_execution_observer.aclose()

asyncio.run(main())
`;

test('README: with its two lines of Python, a service that records as the original does sends to the gateway', async () => {
  const [, lines = ''] = /^```python\n(.*?)^```$/ms.exec(await readFile('README.md', 'utf8')) ?? [];
  expect(lines.split('\n').filter((line) => line !== '')).toHaveLength(2);
  const [python, namespace] = [await findPython(), createNamespace()];
  const gateway = await startRestartableGateway({ redisUrl: inject('redisUrl'), namespace });
  const file = join(await createDirectory(), 'service.py');
  await writeFile(file, lines + service);
  const run = startPython(python, [file], { SLUICE_GATEWAY_URL: gateway.url });
  expect(await run.ended, run.stderr.join('\n')).toBe(0);
  const jobs = await openQueue(namespace).getJobs(['waiting']);
  expect(jobs.flatMap((job) => recordsOf(job))).toMatchObject([
    { strategyId: 'bonus', errorCode: 'DSL_DIV_BY_ZERO', durationMs: 1.5, trace: [{ nodeId: 'n1' }] },
  ]);
});
