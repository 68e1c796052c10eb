import type { Accounts } from '../../queries/ledger/accounts.ts';
import type { Answer } from '../answer.ts';
import { type Finding, findingsOn } from '../finding.ts';

const on = findingsOn('ledger');

/** What the doctor looks at of the books of the last 24 hours. */
export type LedgerFacts = Pick<Accounts, 'verdict' | 'clocks'>;

/** Whether the books balance. Null: there are no tables of the ledger, which is reported as a missing migration. */
export function checkLedger(facts: Answer<LedgerFacts | null>): Finding[] {
  if (!facts.known)
    return [
      on.warning(
        'balance',
        `could not be checked: ${facts.why}`,
        facts.remedy ?? 'ask for a shorter window: sluice ledger --since 1h',
      ),
    ];
  return facts.value === null ? [] : [checkBalance(facts.value), ...checkClocks(facts.value)];
}

function checkBalance({ verdict: { state, text } }: LedgerFacts): Finding {
  const check = 'balance';
  if (state === 'missing')
    return on.failure(check, text, 'run sluice ledger for the chunks; docs/ledger.md says what to do about them');
  if (state === 'disagreeing')
    return on.warning(check, text, 'a report may be late: look again in some minutes, then at sluice ledger --json');
  if (state === 'unchecked') return on.warning(check, text, 'look again when all shards of the queues answer');
  if (state === 'uncertain')
    return on.warning(check, text, 'run sluice ledger for the producers; start those with a spill again');
  return on.ok(check, text);
}

const namesShown = 3;

function checkClocks({ clocks }: LedgerFacts): Finding[] {
  if (clocks.length === 0) return [];
  const producers = [...new Set(clocks.map(({ producer }) => producer))];
  const names = producers.slice(0, namesShown).join(', ');
  const more = producers.length > namesShown ? ` and ${producers.length - namesShown} more` : '';
  return [
    on.warning(
      'clocks',
      `off by more than two minutes, or reports come late: ${names}${more}`,
      'synchronise the machines with NTP: records are booked by the minutes of their producer',
    ),
  ];
}
