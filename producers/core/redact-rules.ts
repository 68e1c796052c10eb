import { readFileSync } from 'node:fs';
import { toError, UsageError } from '../../shared/platform/errors.ts';
import { type Action, foldName, type PathRule, type Step } from './redact-machine.ts';
import { type DetectorName, detectors } from './redact-text.ts';
import { masked } from './redact-value.ts';

/** One rule: where, and what is done there. */
export interface RedactRule {
  /** `drop` leaves out, `mask` puts a fixed text there, `hash` an HMAC-SHA-256: equal values stay comparable */
  do: 'drop' | 'mask' | 'hash';
  /** paths such as `input.**.password`; with `find` the texts at and below them. @default with `find`: all texts */
  at?: string | readonly string[];
  /** entries of traces whose `type` or `nodeId` is one of these: their `value` */
  nodes?: readonly string[];
  /** what is replaced within texts; without it, values are replaced as a whole */
  find?: readonly DetectorName[];
  /** the text of `mask`. @default '[redacted]' */
  with?: string;
}

/** What a file of rules holds. */
export interface RedactRules {
  rules: readonly RedactRule[];
}

/** Values of any shape. */
export const wideFields = ['trace', 'input', 'requestBody', 'responseBody'] as const;

/** Fields of text that records are not found, counted or allowed by. */
export const textFields = [
  'externalGameId',
  'externalTaskId',
  'externalUserId',
  'errorMessage',
  'failedNodeId',
  'caseName',
  'endpoint',
] as const;

export type TextField = (typeof textFields)[number];

/** The roots of what no path names: the notes of a record, and the nodes of its trace. */
export const notesRoot = '#notes';
export const nodesRoot = '#nodes';

const roots: readonly string[] = [...wideFields, ...textFields];
const most = { fileBytes: 1_048_576, rules: 500, paths: 500, steps: 32, maskChars: 200 };

/** @throws UsageError that names the file, when it cannot be read or is no JSON */
export function readRulesFile(path: string): unknown {
  const name = `SLUICE_REDACT_FILE: ${JSON.stringify(path)}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const { code = 'unknown' } = toError(thrown) as NodeJS.ErrnoException;
    throw new UsageError(`${name} cannot be read (${code}); correct the path, or let this user read the file`);
  }
  if (text.length > most.fileBytes) throw new UsageError(`${name} has more than ${most.fileBytes} bytes`);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${name} is no JSON; see docs/redaction.md`);
  }
}

/**
 * Checks rules and takes them apart.
 *
 * @param source names them in errors
 * @throws UsageError that names the rule and the field
 */
export function compileRules(given: unknown, source: string): PathRule[] {
  const fail = (where: string, problem: string): never => {
    throw new UsageError(`${source}: ${where} ${problem}; see docs/redaction.md`);
  };
  if (!isObject(given) || !Array.isArray(given['rules'])) return fail('rules', 'is no list');
  for (const name of Object.keys(given)) if (name !== 'rules') fail(name, 'is not known; accepted: rules');
  const { rules } = given;
  if (rules.length === 0) fail('rules', 'is empty');
  if (rules.length > most.rules) fail('rules', `has more than ${most.rules}`);
  const compiled = rules.flatMap((rule, index) =>
    compileRule(rule, (field, problem) => fail(`rules[${index}]${field && `.${field}`}`, problem)),
  );
  if (compiled.length > most.paths * wideFields.length) fail('rules', `have more than ${most.paths} paths together`);
  return compiled;
}

type Fail = (field: string, problem: string) => never;

const knownFields = new Set(['do', 'at', 'nodes', 'find', 'with']);

function compileRule(rule: unknown, fail: Fail): PathRule[] {
  if (!isObject(rule)) return fail('', 'is no object');
  for (const name of Object.keys(rule))
    if (!knownFields.has(name)) fail(name, `is not known; accepted: ${[...knownFields].join(', ')}`);
  const action = readAction(rule, fail);
  const nodes = readTexts(rule['nodes'], 'nodes', fail);
  const find = readTexts(rule['find'], 'find', fail);
  const paths = readTexts(rule['at'], 'at', fail)?.flatMap((path) => expand(path, find !== null, fail)) ?? null;
  if (find !== null) {
    if (nodes !== null) fail('nodes', 'cannot be together with find; use two rules');
    const finders = find.map((name) => {
      if (!Object.hasOwn(detectors, name))
        fail('find', `is ${quote(name)}; accepted: ${Object.keys(detectors).join(', ')}`);
      return { find: detectors[name as DetectorName], action };
    });
    const everywhere = [...roots, notesRoot].map((root) => ({ root, steps: [] }));
    return (paths ?? everywhere).flatMap(({ root, steps }) =>
      finders.map((finder): PathRule => ({ root, steps: [...steps, '**'], finder })),
    );
  }
  if (paths === null && nodes === null) fail('at', 'is missing; give at, nodes or find');
  return [
    ...(paths ?? []).map((path): PathRule => ({ ...path, action })),
    ...(nodes ?? []).map((name): PathRule => ({ root: nodesRoot, steps: [{ name: foldName(name) }], action })),
  ];
}

function readAction(rule: Record<string, unknown>, fail: Fail): Action {
  const { do: what, with: text = masked } = rule;
  if (what !== 'drop' && what !== 'mask' && what !== 'hash')
    return fail('do', `is ${quote(what)}; accepted: drop, mask or hash`);
  if (rule['with'] !== undefined && what !== 'mask') fail('with', 'is for mask only');
  if (typeof text !== 'string' || text.length > most.maskChars || !text.isWellFormed() || text.includes('\0'))
    return fail('with', `is no text of at most ${most.maskChars} characters that can be stored`);
  return what === 'mask' ? { do: what, with: text } : { do: what };
}

function readTexts(value: unknown, field: string, fail: Fail): string[] | null {
  if (value === undefined) return null;
  const list: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > most.paths)
    return fail(field, `is no list of 1 to ${most.paths} texts`);
  for (const text of list) if (typeof text !== 'string' || text === '') fail(field, 'holds what is no text');
  return list as string[];
}

interface Path {
  root: string;
  steps: Step[];
}

/** A path that begins with `**` begins at each of the wide fields. */
function expand(path: string, isForTexts: boolean, fail: Fail): Path[] {
  const [first, ...steps] = parsePath(path, fail);
  if (first === '**') return wideFields.map((root) => ({ root, steps: ['**', ...steps] }));
  const root = typeof first === 'object' ? roots.find((name) => name.toLowerCase() === first.name) : undefined;
  if (root === undefined)
    return fail('at', `has the path ${quote(path)}; accepted as its beginning: **, ${roots.join(', ')}`);
  if (steps.length > 0 && !(wideFields as readonly string[]).includes(root))
    fail('at', `has the path ${quote(path)}; ${root} is a text and has nothing below`);
  if (steps.length === 0 && root === 'trace' && !isForTexts) return [{ root, steps: ['*'] }];
  return [{ root, steps }];
}

/** Names, `*`, `**`, `[0]`, `[*]` and `["a name"]`. */
const stepPattern = /\.?(\*\*)|\.?(\*)|\.?([^.[\]*"\s]+)|\[(\*)\]|\[([0-9]{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y;

function parsePath(path: string, fail: Fail): Step[] {
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < path.length) {
    const at = stepPattern.lastIndex;
    const found = path[at] === '.' && at === 0 ? null : stepPattern.exec(path);
    if (found === null || (at > 0 && found[0][0] !== '.' && found[0][0] !== '['))
      return fail('at', `has the path ${quote(path)}, which is wrong at character ${at + 1}`);
    const [, deep, any, name, anyIndex, index, quoted] = found;
    if (deep !== undefined) steps.push('**');
    else if (any !== undefined || anyIndex !== undefined) steps.push('*');
    else steps.push({ name: foldName(readName(name ?? index ?? quoted ?? '', path, fail)) });
  }
  if (steps.length > most.steps) fail('at', `has the path ${quote(path)} of more than ${most.steps} steps`);
  return steps;
}

function readName(text: string, path: string, fail: Fail): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return fail('at', `has the path ${quote(path)}, whose quoted name is no JSON text`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
