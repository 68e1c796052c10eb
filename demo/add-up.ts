/** Accounts of all senders together, and those of each. */
export type Accounted<A> = A & { senders: (A & { sender: string })[] };

/** The sum of accounts, field by field; reconciled if all are. */
export function addUp<A extends { reconciled: boolean }>(
  accounts: readonly { sender: string; accounts: A }[],
): Accounted<A> {
  const senders = accounts.map(({ sender, accounts: own }) => ({ sender, ...own }));
  const [first] = accounts;
  const fields = Object.keys(first?.accounts ?? {}) as (keyof A)[];
  const sums = fields.map((field) => [field, accounts.reduce((sum, { accounts: own }) => sum + Number(own[field]), 0)]);
  return {
    ...(Object.fromEntries(sums) as A),
    reconciled: accounts.every(({ accounts: own }) => own.reconciled),
    senders,
  };
}

/**
 * Records that a sender has given up after it sent them may be stored or not: as many of those that are missing as it has in
 * doubt were dropped.
 */
export function lostInDoubt(missing: number, inDoubt: number): number {
  return Math.min(Math.max(0, missing), inDoubt);
}
