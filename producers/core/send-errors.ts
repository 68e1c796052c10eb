/** Thrown by a send whose signal was aborted; the cause is the signal's reason. */
export class SendAbortedError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';
  /** true: the record was accepted before and is still sent; only the wait for Redis was aborted */
  readonly isAccepted: boolean;

  constructor(signal: AbortSignal, { isAccepted }: { isAccepted: boolean }) {
    super(
      isAccepted
        ? 'the wait for Redis was aborted; the record had already been accepted and will still be sent'
        : 'the send was aborted before there was room for the record; the record was not accepted',
      { cause: signal.reason },
    );
    this.isAccepted = isAccepted;
  }
}

/** Thrown by sends after close, by sends that waited for room when it ended, and by durable sends that it cut off. */
export class SenderClosedError extends Error {
  override readonly name = 'SenderClosedError';
}

/** Thrown when a record alone is larger than the whole buffer: it can never be accepted. */
export class RecordTooLargeError extends Error {
  override readonly name = 'RecordTooLargeError';

  /** @param bytes at least; Infinity if its JSON is longer than a string can be */
  constructor(bytes: number, maxBytes: number) {
    super(
      `the record takes ${Number.isFinite(bytes) ? `${bytes} bytes` : 'more than a string can hold'}, the whole buffer ${maxBytes}; lower SLUICE_MAX_BODY_BYTES or raise SLUICE_REQUEST_BUFFER_MAX_BYTES`,
    );
  }
}

/** Thrown by a durable send whose record on disk is damaged, gone, or taken over by another process, which sends it. */
export class RecordLostError extends Error {
  override readonly name = 'RecordLostError';
}
