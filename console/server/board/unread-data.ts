import { byteSize } from '../../../shared/platform/byte-size.ts';

/** The beginning of a chunk, plain or compressed, as the SDK writes it. */
const header =
  /^\{"v":(\d{1,9}),"producer":"([A-Za-z0-9_-]{1,100})","epoch":(\d{1,16})(?:,"life":"[A-Za-z0-9]{1,100}")?,"seq":(\d{1,16}),"(?:records":\[|before":|requestId":"|encoding":")/;

/** The data of a job that was not read, because it is too large or cannot be decompressed or parsed. */
export class UnreadData {
  readonly bytes: number;
  /** its beginning; '' if the data was read but is not JSON */
  readonly head: string;
  readonly why: string;

  constructor(bytes: number, head: string, why = head === '' ? 'is not JSON' : 'is too large to be shown here') {
    this.bytes = bytes;
    this.head = head;
    this.why = why;
  }

  /** For display: its size and, if known, its producer. Nothing that a record holds. */
  describe(): Record<string, unknown> {
    const [, v, producer, epoch, seq] = header.exec(this.head) ?? [];
    const origin = producer === undefined ? {} : { v: Number(v), producer, epoch: Number(epoch), seq: Number(seq) };
    return { ...origin, bytes: this.bytes, notShown: `the job's data of ${byteSize(this.bytes)} ${this.why}` };
  }
}
