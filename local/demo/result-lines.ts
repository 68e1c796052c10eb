import type { Accounts } from './reconcile.ts';
import type { RequestAccounts } from './reconcile-requests.ts';
import type { DemoResult } from './run.ts';

type ToldResult = Pick<DemoResult, keyof Accounts | 'requests' | 'seconds'>;

/** The accounts of a run as lines for people, the verdict last. */
export function toLines(result: ToldResult): string[] {
  const { reconciled, requests, seconds } = result;
  return [
    executionsLine(result),
    ...(requests === null ? [] : [requestsLine(requests)]),
    reconciled ? `the accounts add up, after ${seconds} s` : `the accounts do NOT add up: ${whatIsWrong(result)}`,
  ];
}

function executionsLine({ sent, stored, sampledOut, dropped, dead, inFlight }: Accounts): string {
  return `executions: sent ${sent} = stored ${stored} + sampled out ${sampledOut} + dropped ${dropped} + dead ${dead} + in flight ${inFlight}`;
}

function requestsLine(accounts: RequestAccounts): string {
  const { sent, stored, inserted, updated, duplicates, dropped, dead, inFlight } = accounts;
  return `requests: sent ${sent} = stored ${stored} (inserted ${inserted} + updated ${updated}) + duplicates ${duplicates} + dropped ${dropped} + dead ${dead} + in flight ${inFlight}`;
}

function whatIsWrong({ unaccounted, failures, storedFailures, requests }: ToldResult): string {
  return [
    ...(unaccounted === 0 ? [] : [`${unaccounted} executions unaccounted for`]),
    ...(requests === null || requests.unaccounted === 0
      ? []
      : [`${requests.unaccounted} records of requests unaccounted for`]),
    ...(requests === null || requests.wrong === 0 ? [] : [`${requests.wrong} requests stored wrongly`]),
    ...(failures === storedFailures ? [] : [`${storedFailures} of ${failures} failed executions stored`]),
  ].join(', ');
}
