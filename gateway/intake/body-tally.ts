import type { DeliveryAck } from '../../producers/core/record-buffer.ts';
import { RecordRefusedError } from '../../producers/core/refusal.ts';

/** A record that is not taken, and why. */
export interface Rejection {
  /** of the record in its body, from 0 */
  index: number;
  /** where the record has one */
  id?: string;
  /** the field at fault; `record`: all of it */
  field: string;
  reason: string;
}

/** What was wrong with a record, before it is known where it stands. */
export type Fault = Omit<Rejection, 'index'> & { kind: 'size' | 'access' | 'content' };

/** How many rejections are told one by one. */
const maxTold = 100;

/** Counts what becomes of the records of one body. Each record that is offered has one acknowledgement. */
export class BodyTally {
  accepted = 0;
  sampledOut = 0;
  ignored = 0;
  readonly faults = { size: 0, access: 0, content: 0 };
  readonly rejected: Rejection[] = [];
  /** offered and not known to be in Redis yet */
  pending = 0;
  #failure: Error | null = null;
  #onSettled: (() => void) | null = null;

  get rejectedCount(): number {
    const { size, access, content } = this.faults;
    return size + access + content;
  }

  /** Records that the body has so far. */
  get records(): number {
    return this.accepted + this.pending + this.sampledOut + this.ignored + this.rejectedCount;
  }

  reject(index: number, { kind, ...fault }: Fault): void {
    this.faults[kind] += 1;
    if (this.rejected.length < maxTold) this.rejected.push({ index, ...fault });
  }

  /** The acknowledgement of the record of this index, which goes into the buffer. */
  offered(index: number): DeliveryAck {
    this.pending += 1;
    return new RecordAck(this, index);
  }

  /** Nothing more will be offered. Resolves when all that was is in Redis. @throws when it is known that it does not get there */
  async settled(): Promise<void> {
    if (this.pending > 0 && this.#failure === null)
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    if (this.#failure !== null) throw this.#failure;
  }

  /** Ends the wait. */
  giveUp(error: Error): void {
    this.#failure ??= error;
    this.#onSettled?.();
  }

  /** One of those offered is in Redis. */
  stored(): void {
    this.accepted += 1;
    this.#settle();
  }

  /** One of those offered will not be in Redis. */
  failed(index: number, error: Error): void {
    if (error instanceof RecordRefusedError) this.reject(index, { kind: 'content', field: 'record', reason: refused });
    else this.giveUp(error);
    this.#settle();
  }

  #settle(): void {
    this.pending -= 1;
    if (this.pending === 0) this.#onSettled?.();
  }
}

const refused = 'Redis refuses it for good, for example because it is too large';

class RecordAck implements DeliveryAck {
  readonly #tally: BodyTally;
  readonly #index: number;

  constructor(tally: BodyTally, index: number) {
    this.#tally = tally;
    this.#index = index;
  }

  succeed(): void {
    this.#tally.stored();
  }

  fail(error: Error): void {
    this.#tally.failed(this.#index, error);
  }
}
