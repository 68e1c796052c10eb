import type { Accounted } from './add-up.ts';
import type { Accounts } from './executions/reconcile-executions.ts';
import type { GameAccounts } from './games/reconcile-games.ts';
import type { RequestAccounts } from './requests/reconcile-requests.ts';
import type { UsageAccounts } from './requests/reconcile-usage.ts';
import type { DemoResult } from './run.ts';

type ToldResult = Pick<DemoResult, keyof Accounted<Accounts> | 'games' | 'seconds'> & {
  requests: (Accounted<RequestAccounts> & { usage?: UsageAccounts }) | null;
};

/** The accounts of a run as lines for people, the verdict last. */
export function toLines(result: ToldResult): string[] {
  const { reconciled, requests, games, seconds } = result;
  return [
    ...withSenders('executions', result, executionsLine),
    ...(requests === null ? [] : withSenders('requests', requests, requestsLine)),
    ...(requests?.usage === undefined ? [] : [usageLine(requests.usage)]),
    ...(games === null ? [] : [gamesLine(games)]),
    reconciled ? `the accounts add up, after ${seconds} s` : `the accounts do NOT add up: ${whatIsWrong(result)}`,
  ];
}

/** A line for all senders, and one for each where there are several, or where something was refused. */
function withSenders<A extends { refused: number }>(
  kind: string,
  all: Accounted<A>,
  toLine: (accounts: A) => string,
): string[] {
  const isOfMany = all.senders.length > 1;
  const line = (accounts: A): string =>
    toLine(accounts) + (isOfMany || all.refused > 0 ? ` + refused ${accounts.refused}` : '');
  const each = isOfMany ? all.senders.map((own) => `${kind} of ${own.sender}: ${line(own)}`) : [];
  return [`${kind}: ${line(all)}`, ...each];
}

function executionsLine({ sent, stored, sampledOut, dropped, dead, inFlight }: Accounts): string {
  return `sent ${sent} = stored ${stored} + sampled out ${sampledOut} + dropped ${dropped} + dead ${dead} + in flight ${inFlight}`;
}

function requestsLine(accounts: RequestAccounts): string {
  const { sent, stored, inserted, updated, duplicates, dropped, dead, inFlight } = accounts;
  return `sent ${sent} = stored ${stored} (inserted ${inserted} + updated ${updated}) + duplicates ${duplicates} + dropped ${dropped} + dead ${dead} + in flight ${inFlight}`;
}

function usageLine({ inputTokens, outputTokens, costs, priced, differing }: UsageAccounts): string {
  const cost = costs.length === 0 ? 'no prices' : `${costs.join(' and ')} for ${priced} requests`;
  const verdict = differing === 0 ? 'as Sluice says of each' : `Sluice says otherwise of ${differing}`;
  return `usage: ${inputTokens} tokens in, ${outputTokens} out, ${cost}: ${verdict}`;
}

function gamesLine(accounts: GameAccounts): string {
  const { games, sent, events, dead, running, unreachable, snapshots } = accounts;
  return `games: sent ${sent} = health events ${events} + dead ${dead}; ${games} games: running ${running}, unreachable ${unreachable}; ${snapshots} snapshots published to the lobby`;
}

function whatIsWrong({ unaccounted, failures, storedFailures, requests, games }: ToldResult): string {
  return [
    ...(unaccounted === 0 ? [] : [`${unaccounted} executions unaccounted for`]),
    ...(requests === null || requests.unaccounted === 0
      ? []
      : [`${requests.unaccounted} request records unaccounted for`]),
    ...(requests === null || requests.wrong === 0 ? [] : [`${requests.wrong} requests stored incorrectly`]),
    ...(requests?.usage === undefined || requests.usage.differing === 0
      ? []
      : [`tokens or cost of ${requests.usage.differing} requests differ`]),
    ...(games === null ? [] : whatIsWrongWith(games)),
    ...(failures === storedFailures ? [] : [`${storedFailures} of ${failures} failed executions stored`]),
  ].join(', ');
}

function whatIsWrongWith({ isApplied, wrong, unpublished, unaccounted }: GameAccounts): string[] {
  return [
    ...(isApplied ? [] : ['the health-event stream was not read to its end']),
    ...(wrong === 0 ? [] : [`${wrong} games do not match their events`]),
    ...(unpublished === 0 ? [] : [`the state of ${unpublished} games was not published to the lobby`]),
    ...(unaccounted === 0 ? [] : [`${unaccounted} dead letters of health events missing or too many`]),
  ];
}
