/** What is done to a value. */
export type Action = { do: 'drop' } | { do: 'mask'; with: string } | { do: 'hash' };

/** What is done to parts of texts. */
export interface Finder {
  find: (text: string) => readonly { start: number; end: number }[];
  action: Action;
}

/** A step of a path: a name as `foldName` has it, any one name or index, or any number of them. */
export type Step = { name: string } | '*' | '**';

/** A path, and what is done to the values that it leads to, or to the texts at them and below. */
export type PathRule = { root: string; steps: readonly Step[] } & (
  | { action: Action; finder?: never }
  | { finder: Finder; action?: never }
);

/** Where one is in a document, seen from the rules. Nothing in it changes but for what it remembers. */
export interface State {
  /** done to the value as a whole; null: look below */
  readonly action: Action | null;
  /** for the texts here */
  readonly finders: readonly Finder[];
  /** whether any rule concerns what is here or below */
  readonly isLive: boolean;
  /** how many do */
  readonly ruleCount: number;
  step(key: string): State;
}

/** A rule, and how many of its steps are done. */
type Item = readonly [rule: number, done: number];

/** The form in which names are compared: capitals are the same, and so are an accent of its own and one within its letter. */
export function foldName(name: string): string {
  return name.toLowerCase().normalize();
}

const strength = { hash: 1, mask: 2, drop: 3 } as const;

/** With unusual paths and documents there can be very many states. Those beyond are made anew each time. */
const rememberedStates = 2_000;

/** Turns path rules into states: a document is walked once, however many rules there are. */
export function createMachine(rules: readonly PathRule[]) {
  const states = new Map<string, MachineState>();
  const isAscii = (name: string): boolean => !/[\u0080-\uffff]/.test(name);
  const areAscii = rules.every(({ steps }) => steps.every((step) => typeof step !== 'object' || isAscii(step.name)));
  const fold = (key: string): string => (areAscii ? key.toLowerCase() : foldName(key));

  class MachineState implements State {
    readonly items: readonly Item[];
    readonly action: Action | null = null;
    readonly finders: readonly Finder[];
    readonly ruleCount: number;
    readonly #names = new Set<string>();
    readonly #with = new Map<MachineState, MachineState>();
    readonly #next = new Map<string, MachineState>();
    #other: MachineState | null = null;

    constructor(items: readonly Item[]) {
      this.items = items;
      const finders: Finder[] = [];
      for (const [at, done] of items) {
        const { steps, action, finder } = rules[at] as PathRule;
        const step = steps[done];
        if (step !== undefined && typeof step === 'object') this.#names.add(step.name);
        if (step !== undefined) continue;
        if (finder !== undefined) finders.push(finder);
        else if (this.action === null || strength[action.do] > strength[this.action.do]) this.action = action;
      }
      this.finders = finders;
      this.ruleCount = new Set(items.map(([at]) => at)).size;
    }

    get isLive(): boolean {
      return this.ruleCount > 0;
    }

    step(key: string): MachineState {
      const name = this.#names.size === 0 ? '' : fold(key);
      if (!this.#names.has(name)) return this.#other ?? this.#remember(null);
      return this.#next.get(name) ?? this.#remember(name);
    }

    with(other: MachineState): MachineState {
      const known = this.#with.get(other);
      if (known !== undefined) return known;
      const state = stateOf([...this.items, ...other.items]);
      if (isRemembered(this) && isRemembered(other) && isRemembered(state)) this.#with.set(other, state);
      return state;
    }

    #remember(name: string | null): MachineState {
      const state = this.#after(name);
      if (!isRemembered(state)) return state;
      if (name === null) this.#other = state;
      else this.#next.set(name, state);
      return state;
    }

    /** @param name null: one that no rule names here */
    #after(name: string | null): MachineState {
      return stateOf(
        this.items.flatMap(([at, done]): Item[] => {
          const step = rules[at]?.steps[done];
          if (step === '**') return [[at, done]];
          return step === '*' || (typeof step === 'object' && step.name === name) ? [[at, done + 1]] : [];
        }),
      );
    }
  }

  const keyOf = (items: readonly Item[]): string => items.map((item) => item.join('.')).join();

  const isRemembered = (state: MachineState): boolean => states.get(keyOf(state.items)) === state;

  const stateOf = (items: readonly Item[]): MachineState => {
    const closed = new Map<string, Item>();
    for (const [at, done] of items) {
      const { steps } = rules[at] as PathRule;
      // Any number of steps may also be none.
      let next = done;
      closed.set(`${at}.${next}`, [at, next]);
      while (steps[next] === '**') {
        next += 1;
        closed.set(`${at}.${next}`, [at, next]);
      }
    }
    const all = [...closed.values()].sort(([a, aDone], [b, bDone]) => a - b || aDone - bDone);
    const key = keyOf(all);
    const known = states.get(key);
    if (known !== undefined) return known;
    const state = new MachineState(all);
    if (states.size < rememberedStates) states.set(key, state);
    return state;
  };

  return {
    root: (root: string): State => stateOf(rules.flatMap((rule, at): Item[] => (rule.root === root ? [[at, 0]] : []))),
    /** What concerns a value that stands in several places. */
    union: (one: State, other: State): State => {
      if (!other.isLive || one === other) return one;
      if (!one.isLive) return other;
      return (one as MachineState).with(other as MachineState);
    },
  };
}

export type Machine = ReturnType<typeof createMachine>;
