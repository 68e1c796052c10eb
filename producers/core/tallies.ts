import { latestMinute, mostRealmChars, unnamedRealm } from '../../shared/contracts/ledger-header.ts';
import { FieldReader } from './field-reader.ts';
import { Notes } from './notes.ts';
import { NumberRanges } from './number-ranges.ts';
import { Tally } from './tally.ts';

/** By what callers give as the realm, where that is text, null or undefined. */
type RealmTallies = Map<unknown, Tally>;

/** Bounds of what is kept. */
export interface TallyLimits {
  /** in a minute; further ones are counted together */
  realms: number;
  /** while so many are kept, the last of them goes on */
  minutes: number;
  /** while so many are kept, the realms of new minutes are counted together */
  tallies: number;
}

const defaultLimits: TallyLimits = { realms: 200, minutes: 1_440, tallies: 10_000 };

/** Runs of minutes that are remembered as closed. A session may pause so often before the first one is forgotten. */
const mostClosedRuns = 1_440;

const msPerMinute = 60_000;

/**
 * Counts the records of a session by minute and realm. The minute is held, and not read from a clock at each call: `turn` begins
 * the next one. Of minutes that nobody has to be told of any more, only a sum is kept.
 */
export class Tallies {
  readonly #now: () => number;
  readonly #onBegin: () => void;
  readonly #limits: TallyLimits;
  /** in the order in which they began */
  readonly #minutes = new Map<number, RealmTallies>();
  /** of minutes that are not kept any more */
  readonly #past = new Tally(0, null);
  readonly #closed = new NumberRanges();
  #current: RealmTallies | null = null;
  /** the number of the current one */
  #minute = 0;
  #kept = 0;

  /**
   * @param options.now ms since 1970
   * @param options.onBegin told when the first record comes, and the first one after a `rest`
   */
  constructor({ now, onBegin, limits }: { now(): number; onBegin(): void; limits?: Partial<TallyLimits> }) {
    this.#now = now;
    this.#onBegin = onBegin;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** The tally of this minute and a realm, whatever a caller gives as one. For every call of `record()`: reads no clock. */
  of(realm: unknown): Tally {
    return this.#current?.get(realm) ?? this.#find(realm);
  }

  /** Begins the minute that it is by the clock. */
  turn(): void {
    if (this.#current !== null) this.#enter();
  }

  /** Nothing is counted for now: the next record begins a minute. */
  rest(): void {
    this.#current = null;
  }

  /** All tallies that are kept, oldest first. */
  *all(): Generator<Tally> {
    for (const realms of this.#minutes.values()) {
      for (const [key, tally] of realms) if (key !== undefined) yield tally;
    }
  }

  /** The sum over the whole session. */
  total(): Tally {
    const total = new Tally(0, null);
    total.add(this.#past);
    for (const tally of this.all()) total.add(tally);
    return total;
  }

  /** Counts records of which only this is known: Redis has acknowledged them. */
  addSent(records: number): void {
    this.#past.sent += records;
  }

  /** Lets go of the minutes that are over, once Redis has been told all that can still be said of them. */
  letGo(): void {
    for (const [minute, realms] of this.#minutes) {
      if (realms === this.#current) continue;
      const tallies = [...new Set(realms.values())];
      if (tallies.some((tally) => tally.isOpen || tally.progress > tally.reported)) continue;
      for (const tally of tallies) this.#past.add(tally);
      this.#minutes.delete(minute);
      this.#kept -= tallies.length;
      // What was said of a minute only grows, so that it cannot begin again from zero.
      this.#closed.add(minute);
      if (this.#closed.runs > mostClosedRuns) this.#closed.deleteFirstRun();
    }
  }

  #find(given: unknown): Tally {
    const current = this.#current ?? this.#begin();
    const realm = toRealm(given);
    const known = current.get(realm);
    if (known !== undefined) return known;
    const { realms, tallies } = this.#limits;
    const isFull = current.size >= realms || this.#kept >= tallies;
    return isFull ? (current.get(unnamedRealm) ?? this.#add(current, unnamedRealm)) : this.#add(current, realm);
  }

  #add(realms: RealmTallies, realm: string | null): Tally {
    const tally = new Tally(this.#minute, realm);
    realms.set(realm, tally);
    // The other way to say that there is none.
    if (realm === null) realms.set(undefined, tally);
    this.#kept += 1;
    return tally;
  }

  #begin(): RealmTallies {
    const begun = this.#enter();
    this.#onBegin();
    return begun;
  }

  #enter(): RealmTallies {
    const minute = this.#closed.nextFree(toMinute(this.#now()));
    const isFull = this.#minutes.size >= this.#limits.minutes && !this.#minutes.has(minute);
    this.#minute = isFull ? ([...this.#minutes.keys()].at(-1) as number) : minute;
    const known = this.#minutes.get(this.#minute);
    this.#current = known ?? new Map();
    if (known === undefined) this.#minutes.set(this.#minute, this.#current);
    return this.#current;
  }
}

/** Any number, as a host may have a clock of its own. */
function toMinute(nowMs: number): number {
  const minute = Math.floor(nowMs / msPerMinute);
  return Number.isFinite(minute) ? Math.min(Math.max(minute, 0), latestMinute) : 0;
}

/** As the row of a record has it. A copy: a slice would keep the whole text in memory that it is from. */
function toRealm(given: unknown): string | null {
  if (given === null || given === undefined) return null;
  const text = new FieldReader(new Notes()).text('realmId', given, mostRealmChars) ?? '';
  return Buffer.from(text).toString();
}
