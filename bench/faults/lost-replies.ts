import { setTimeout as sleep } from 'node:timers/promises';
import { isStoring, storedRowsOf } from '../../test/support/stored-executions.ts';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const times = 50;

/** Time for the retry to succeed: repeated lost replies are an outage, with longer and longer waits. */
const betweenMs = 250;

/** Commits whose replies are lost on the way back, one after the other. */
export const lostReplies: Scenario = async (options) => {
  const url = new URL(options.testbed.databaseUrl);
  const proxy = await startTcpProxy(Number(url.port));
  options.testbed.onClose('the proxy', proxy.close);
  url.port = String(proxy.port);
  return strikeUnderLoad(options, {
    scenario: `the reply to ${times} commits lost`,
    name: 'lost-replies',
    workers: 2,
    environment: { DATABASE_URL: url.href },
    async strike() {
      let committed = 0;
      for (let time = 0; time < times; time += 1) {
        committed += storedRowsOf(await proxy.loseReply(isStoring));
        await sleep(betweenMs);
      }
      return `${committed} rows committed without a reply`;
    },
  });
};
