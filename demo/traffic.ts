/** One kind of traffic of a run: it is sent through the SDK, settles, and is accounted for. */
export interface Traffic<Accounts> {
  /** the total amount */
  total: number;
  /** the amount so far */
  done(): number;
  /** a few words on its progress */
  describe(): string;
  /** Sends all of it, each when it is due. Ends early when it is stopped. */
  produce(): Promise<void>;
  /** Sends what the producer still holds, and closes it. */
  flush(): Promise<void>;
  /** Whether nothing is on its way any more. */
  isSettled(): Promise<boolean>;
  /** Accounts for everything that was sent. */
  reconcile(): Promise<Accounts>;
  close(): Promise<void>;
}

/** The longest that the rest of a run may take to reach Redis, in ms. */
export const closeTimeoutMs = 60_000;
