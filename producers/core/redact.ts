import { createHmac, createSecretKey } from 'node:crypto';
import type { RedactSettings } from '../../shared/platform/config/producer-config.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import type { Notes } from './notes.ts';
import { redactBody } from './redact-body.ts';
import { createMachine, type Machine, type State } from './redact-machine.ts';
import { compileRules, nodesRoot, notesRoot, type RedactRules, readRulesFile, type TextField } from './redact-rules.ts';
import { type HashText, masked, ValueRedactor, type WalkBounds } from './redact-value.ts';
import { hugeChars } from './storable-json.ts';
import { truncateTrace } from './truncate-trace.ts';

/** Rules for what leaves the process, as an option of an observer or a sender. */
export interface RedactOptions extends Partial<RedactSettings> {
  /** the rules themselves, instead of `file` */
  rules?: RedactRules | null;
}

/** Rules that are ready to be applied. */
export interface Redaction {
  /** For one record. */
  begin(): RecordRedaction;
  /** Whether any rule concerns the field. */
  concerns(field: 'requestBody' | 'responseBody'): boolean;
}

/** Applies rules to one record, and counts. Nothing of it throws. */
export interface RecordRedaction {
  /** a line of the notes, which may quote values */
  note(line: string): string;
  /** a value of which notes quote the beginning when it is of a wrong kind */
  quoted(value: unknown): unknown;
  /** a field that is text */
  text(field: TextField, value: unknown): unknown;
  /** bytes of JSON of the whole record */
  trace(entries: unknown[] | null, maxBytes: number, notes: Notes): unknown[] | null;
  input(input: unknown, maxBytes: number): unknown;
  /** @param maxBytes a longer body is replaced where rules concern it */
  body(field: 'requestBody' | 'responseBody', body: string | Uint8Array, maxBytes: number): string | Uint8Array;
  /** what is neither text nor bytes, before it becomes JSON */
  bodyValue(field: 'requestBody' | 'responseBody', body: unknown, maxBytes: number): unknown;
  /** Says how many values were redacted; null: none. */
  summary(): string | null;
}

/**
 * Reads the rules.
 *
 * @returns null where there are none
 * @throws UsageError that names the rule and the field, when rules are set and cannot be used
 */
export function createRedaction({ file, rules, key }: RedactOptions): Redaction | null {
  const hasFile = file !== undefined && file !== null;
  const hasRules = rules !== undefined && rules !== null;
  if (!hasFile && !hasRules) return null;
  if (hasFile && hasRules) throw new UsageError('redact.rules, redact.file: both are set; give one of them');
  if (hasFile && (typeof file !== 'string' || file === ''))
    throw new UsageError('redact.file is no path; give the path of a file of rules, or null');
  const source = hasFile ? `SLUICE_REDACT_FILE: ${JSON.stringify(file)}` : 'redact.rules';
  const compiled = compileRules(hasFile ? readRulesFile(file) : rules, source);
  const hashes = compiled.some(({ action, finder }) => (action ?? finder?.action)?.do === 'hash');
  if (hashes && (typeof key !== 'string' || key.length < minKeyChars))
    throw new UsageError(
      `${source}: a rule hashes, and SLUICE_REDACT_KEY has fewer than ${minKeyChars} characters; set it, the same in all processes`,
    );
  return redactionBy(createMachine(compiled), createHash(hashes ? (key as string) : ''));
}

const minKeyChars = 16;

function createHash(key: string): HashText {
  const secret = createSecretKey(Buffer.from(key));
  return (text) => createHmac('sha256', secret).update(text).digest('hex');
}

/** How many entries of a trace are tried, one after the other, until they are within the bounds. */
const traceSteps = [Number.POSITIVE_INFINITY, 1_000, 200, 40, 10];

const walkedNodes = 50_000;

/** More than a record has room for, so that what is left out here would be left out anyway. */
const boundsOf = (maxBytes: number): WalkBounds => ({ nodes: walkedNodes, chars: maxBytes * 4 });

function redactionBy(machine: Machine, hash: HashText): Redaction {
  const roots = new Map<string, State>();
  const rootOf = (name: string): State => {
    const state = roots.get(name) ?? machine.root(name);
    roots.set(name, state);
    return state;
  };
  const nodes = rootOf(nodesRoot);
  const input = rootOf('input');
  const trace = rootOf('trace');
  const isTraceLive = trace.isLive || nodes.isLive || input.isLive;

  /** An entry that read a part of the input holds its value. */
  const statesOf = (entry: unknown, at: State) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return { entry: at, value: null };
    const fieldOf = (name: string): unknown =>
      entry instanceof Map ? entry.get(name) : (entry as Record<string, unknown>)[name];
    let value = at.step('value');
    if (nodes.isLive)
      for (const name of [fieldOf('type'), fieldOf('nodeId')])
        if (typeof name === 'string' || typeof name === 'number')
          value = machine.union(value, nodes.step(String(name)));
    if (!input.isLive) return { entry: at, value };
    const path = fieldOf('path');
    if (typeof path === 'string') value = machine.union(value, inputAt(path));
    else if (Array.isArray(path))
      value = machine.union(value, stateAt(machine, input, path.slice(0, pathNames).map(String)));
    return { entry: at, value };
  };

  const known = new Map<string, State>();
  const inputAt = (path: string): State => {
    const state = known.get(path) ?? stateAt(machine, input, namesOf(path.slice(0, pathChars)));
    if (known.size < knownPaths && path.length <= knownPathChars) known.set(path, state);
    return state;
  };

  return {
    concerns: (field) => rootOf(field).isLive,
    begin() {
      const redactor = new ValueRedactor(hash);
      return {
        note: (line) => redactor.text(line, rootOf(notesRoot).finders),

        quoted: (value) => (typeof value === 'string' ? redactor.text(value, rootOf(notesRoot).finders) : value),

        text(field, value) {
          const state = rootOf(field);
          if (!state.isLive || value === undefined || value === null) return value;
          const isScalar = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
          const text = isScalar ? String(value) : value;
          if (typeof text === 'string' && text.length <= hugeChars)
            return redactor.value(text, state, { nodes: 1, chars: text.length });
          redactor.count += 1;
          return state.action?.do === 'drop' ? undefined : masked;
        },

        trace(entries, maxBytes, notes) {
          if (entries === null || !isTraceLive) return entries;
          const counted = { count: redactor.count, unread: redactor.unread };
          const room = Math.min(walkedNodes, maxBytes) / 2;
          let copy: unknown[] = [];
          for (const step of traceSteps) {
            const kept = truncateTrace(entries, Math.floor(Math.min(step, room)));
            Object.assign(redactor, counted);
            let index = 0;
            const stateOf = (entry: unknown) => statesOf(entry, trace.step(String(index++)));
            copy = redactor.list(kept.entries ?? [], stateOf, boundsOf(maxBytes));
            if (redactor.isOver && step !== traceSteps.at(-1)) continue;
            notes.add(kept.note);
            break;
          }
          return copy;
        },

        input: (value, maxBytes) => (input.isLive ? redactor.value(value, input, boundsOf(maxBytes)) : value),

        body: (field, body, maxBytes) => redactBody(body, { state: rootOf(field), maxBytes }, redactor),

        bodyValue(field, body, maxBytes) {
          const state = rootOf(field);
          // As a whole it is replaced when it is text.
          return state.isLive && state.action === null ? redactor.value(body, state, boundsOf(maxBytes)) : body;
        },

        summary() {
          const lines = [
            redactor.count === 0 ? [] : `${redactor.count} ${redactor.count === 1 ? 'value' : 'values'} redacted`,
            redactor.unread === 0 ? [] : `parts left out that the rules could not look into: ${redactor.unread}`,
          ].flat();
          return lines.length === 0 ? null : lines.join(', ');
        },
      };
    },
  };
}

const pathChars = 2_048;
const pathNames = 1_024;
/** The paths of a service are few. */
const knownPaths = 1_000;
const knownPathChars = 200;

/** `a`, `[0]`, `["a.b"]` and `['a.b']`, one after the other. */
const nameInPath = /\[\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\]|[^.[\]]+/g;

function namesOf(path: string): string[] {
  return Array.from(path.matchAll(nameInPath), ([name, double, single]) =>
    (double ?? single ?? name).replace(/\\(.)/g, '$1'),
  );
}

/** A key may have a dot that a path has as it is: as many names in a row may be one. */
const joinedNames = 8;

/**
 * The state for what stands at a path of an entry, such as `user.emails[0]`; rules for all of what it is in are for it, too. The first
 * name may be what the service calls its input, such as `data`.
 */
function stateAt({ union }: Machine, root: State, names: readonly string[]): State {
  const states = [root];
  let whole: State | null = null;
  for (let end = 1; end <= names.length; end += 1) {
    let state = end === 1 ? root : null;
    for (let start = Math.max(0, end - joinedNames); start < end; start += 1) {
      const next = (states[start] as State).step(names.slice(start, end).join('.'));
      state = state === null ? next : union(state, next);
    }
    if (state === null) break;
    if (state.action !== null) whole = whole === null ? state : union(whole, state);
    states.push(state);
  }
  const last = states.at(-1) as State;
  return whole === null ? last : union(whole, last);
}
