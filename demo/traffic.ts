/** One kind of traffic of a run: it is sent through the SDK, settles, and is accounted for. */
export interface Traffic<Accounts> {
  /** how much of it there will be */
  total: number;
  /** how much of it there was so far */
  done(): number;
  /** a few words on where it is */
  describe(): string;
  /** Sends all of it, each when it is due. Ends early when it is stopped. */
  produce(): Promise<void>;
  /** Sends what the producer still holds, and closes it. */
  flush(): Promise<void>;
  /** Looks whether nothing is on its way any more. */
  isSettled(): Promise<boolean>;
  /** Accounts for all that was sent. */
  reconcile(): Promise<Accounts>;
  close(): Promise<void>;
}

/** The longest that the rest of a run may take to reach Redis, in ms. */
export const closeTimeoutMs = 60_000;
