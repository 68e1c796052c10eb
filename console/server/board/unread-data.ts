import { byteSize } from '../../../shared/platform/byte-size.ts';

/** As the SDK writes a chunk. */
const header = /^\{"v":(\d{1,9}),"producer":"([A-Za-z0-9_-]{1,100})","epoch":(\d{1,16}),"seq":(\d{1,16}),"records":\[/;

/** The data of a job that was not read, since it is large, or cannot be parsed. */
export class UnreadData {
  readonly bytes: number;
  /** its beginning; '' when it was read and is no JSON */
  readonly head: string;

  constructor(bytes: number, head: string) {
    this.bytes = bytes;
    this.head = head;
  }

  /** For a person: how large it is, and whose, where it says so. Nothing that a record holds. */
  describe(): Record<string, unknown> {
    const [, v, producer, epoch, seq] = header.exec(this.head) ?? [];
    const origin = producer === undefined ? {} : { v: Number(v), producer, epoch: Number(epoch), seq: Number(seq) };
    const why = this.head === '' ? 'is no JSON' : 'is too large to be shown here';
    return { ...origin, bytes: this.bytes, notShown: `the job's data of ${byteSize(this.bytes)} ${why}` };
  }
}
