import { UsageError } from '../errors.ts';
import type { Variable } from './environment.ts';
import { isServiceAddress } from './service-links.ts';

/** Variables by name, in the order in which their problems are listed. */
export type Variables = Record<string, Variable<unknown>>;

export type ValuesOf<V extends Variables> = { [N in keyof V]: V[N] extends Variable<infer T> ? T : never };

/** Parts of a configuration, each of which reads its own variables only when it is asked for. */
type Groups = Record<string, () => unknown>;

export type ConfigOf<G> = { [N in keyof G]: G[N] extends () => infer T ? T : never };

/** Holds two variables together, or more. It is asked where the groups of all of them are read. */
export interface Rule<C> {
  groups: readonly (keyof C)[];
  /** what is wrong, one or several; false: nothing */
  problem(config: C): string | readonly string[] | false;
}

/** What a configuration is made of. */
export interface ConfigParts<V extends Variables, G extends Groups> {
  variables: V;
  /** variables whose values are never printed */
  secrets: ReadonlySet<string>;
  /** variables that protect something. One that is empty is refused: without it, that would be open unnoticed */
  tokens: ReadonlySet<string>;
  toGroups(values: ValuesOf<V>): G;
  rules: readonly Rule<ConfigOf<G>>[];
}

/** Makes what reads groups of a configuration from an environment. */
export function createConfigReader<V extends Variables, G extends Groups>(parts: ConfigParts<V, G>) {
  type Config = ConfigOf<G>;
  const names = Object.keys(parts.variables);

  /** Each variable is read when a group asks for it, so that only those of the groups that are wanted are looked at. */
  const readVariables = (environment: NodeJS.ProcessEnv, problemOf: Map<string, string>): ValuesOf<V> => {
    const getters = Object.entries(parts.variables).map(([name, variable]) => {
      const get = (): unknown => {
        const given = givenTo(environment, name);
        const reading = variable.read(given);
        if ('value' in reading) return reading.value;
        problemOf.set(name, `${name} ${show(name, given)}; accepted: ${reading.accepted}`);
        const fallback = variable.read(undefined);
        return 'value' in fallback ? fallback.value : undefined;
      };
      return [name, { get }];
    });
    return Object.defineProperties({}, Object.fromEntries(getters)) as ValuesOf<V>;
  };

  /** What a variable is set to. Undefined: nothing that is meant for us. */
  const givenTo = (environment: NodeJS.ProcessEnv, name: string): string | undefined => {
    const value = environment[name];
    // A token that is empty was meant to protect something.
    if (value === '' && !parts.tokens.has(name)) return undefined;
    return value !== undefined && isServiceAddress(name, value) ? undefined : value;
  };

  const show = (name: string, value: string | undefined): string => {
    if (value === '') return 'is empty';
    return parts.secrets.has(name) ? 'has an invalid value (not shown)' : `is ${quote(value)}`;
  };

  const crossFieldProblems = (config: object): string[] =>
    parts.rules.flatMap(({ groups, problem }) => {
      const isRead = groups.every((group) => group in config);
      return (isRead && problem(config as Config)) || [];
    });

  /** As `load`, for those who go on all the same: a variable that has a problem has its default. */
  const read = <N extends keyof G>(
    environment: NodeJS.ProcessEnv,
    groups: readonly N[],
  ): { config: Pick<Config, N>; problems: string[] } => {
    const problemOf = new Map<string, string>();
    const all = parts.toGroups(readVariables(environment, problemOf));
    const config = Object.fromEntries(groups.map((group) => [group, (all[group] as () => unknown)()])) as Pick<
      Config,
      N
    >;
    const problems = names.flatMap((name) => problemOf.get(name) ?? []);
    return { config, problems: problems.length > 0 ? problems : crossFieldProblems(config) };
  };

  return {
    /** the names of all variables */
    names,
    /** the names of all groups */
    groups: Object.keys(parts.toGroups(readVariables({}, new Map()))) as (keyof G)[],
    read,
    /**
     * Reads groups. Variables of other groups are not looked at. An empty value counts as none, but for tokens.
     *
     * @throws UsageError that lists every problem at once: the variable, what was given (never a secret), what is accepted
     */
    load<N extends keyof G>(environment: NodeJS.ProcessEnv, groups: readonly N[]): Pick<Config, N> {
      const { config, problems } = read(environment, groups);
      if (problems.length === 0) return config;
      throw new UsageError(
        `the configuration has ${count(problems.length, 'problem')}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
      );
    },
  };
}

function quote(value: string | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
