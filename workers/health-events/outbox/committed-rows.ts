import type { OutboxRow } from './outbox.ts';

/**
 * Rows of the outbox that were committed a moment ago, so that the relay need not read them back. They only save time: the
 * outbox is what counts, and whatever is dropped here is read from there.
 *
 * @param limit rows that are kept at most; with more, the publishing lags behind and reads from the outbox
 */
export function createCommittedRows(limit: number) {
  let rows: readonly OutboxRow[] = [];

  return {
    /** @param added of one commit, in order, and after all that were added before */
    add(added: readonly OutboxRow[]): void {
      rows = rows.length + added.length <= limit ? [...rows, ...added] : [];
    },

    /**
     * Hands out the rows after a place, and forgets all that it has. All outboxes take their numbers from one sequence: only
     * where no number is missing, no other row can be in between. Where one is missing, none are handed out.
     */
    takeAfter(place: number): readonly OutboxRow[] {
      const later = rows.filter(({ seq }) => seq > place);
      rows = [];
      return later.every(({ seq }, index) => seq === place + 1 + index) ? later : [];
    },
  };
}
