import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readCases } from '../../../contracts/conformance-case.ts';
import { createProcessSender } from '../../../contracts/process-sender.ts';
import { runConformance } from '../../../contracts/run-conformance.ts';
import { aGateway } from '../../support/a-gateway.ts';
import { aConformancePlace } from '../../support/conformance.ts';
import { clientDir, findPython, pythonEnvironment } from '../../support/python.ts';

test('conformance: the Python client is as the kit says', async () => {
  const { namespace, query, settled } = await aConformancePlace();
  const gateway = await aGateway({ SLUICE_NAMESPACE: namespace });
  const sender = createProcessSender({
    face: 'python',
    command: await findPython(),
    args: [resolve(clientDir, 'tests/conformance.py')],
    environment: { ...pythonEnvironment(), SLUICE_GATEWAY_URL: gateway.url },
    settled: async () => {
      await settled();
      return [];
    },
  });
  expect(await runConformance(readCases(), { sender, query })).toEqual([]);
});
