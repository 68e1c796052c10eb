import { expect, test } from 'vitest';
import { redactMessage, wordsOf } from '../../../../shared/platform/postgres/redact-message.ts';

test.each([
  ['invalid input syntax for type uuid: "secret"', 'invalid input syntax for type uuid: "…"'],
  ['invalid input syntax for type uuid: "a" column "secret"', 'invalid input syntax for type uuid: "…"'],
  ['value "99999999999" is out of range for type integer', 'value "…" is out of range for type integer'],
  [
    'null value in column "must" of relation "strategy_execution_log" violates not-null constraint',
    'null value in column "must" of relation "strategy_execution_log" violates not-null constraint',
  ],
  [
    'new row for relation "request" violates check constraint "never"',
    'new row for relation "request" violates check constraint "never"',
  ],
  ['could not compute MD5 hash: unsupported', 'could not compute MD5 hash: unsupported'],
  ['syntax error at or near "secret"', 'syntax error at or near "…"'],
  ['said in\nseveral   lines', 'said in several lines'],
])('redaction: of %j the log says %j', (message, said) => {
  expect(redactMessage(message)).toBe(said);
});

test.each([
  ['ungültige Eingabesyntax für Typ uuid: „secret“', 'ungültige Eingabesyntax für Typ uuid: "…"'],
  ['Wert »secret« ist außerhalb des gültigen Bereichs', 'Wert "…" ist außerhalb des gültigen Bereichs'],
  ['la valeur « secret » n’est pas valide', 'la valeur "…" n’est pas valide'],
  ["l'objet 'secret' n'existe pas", `l'objet "…" n'existe pas`],
  ["can't store 'o'secret one' now", `can't store "…" now`],
  [
    'syntaxe en entrée invalide pour le type uuid : « a » « secret »',
    'syntaxe en entrée invalide pour le type uuid : "…"',
  ],
  ['Wert ‚secret‘ und ‹secret› und “secret” und ‘secret’', 'Wert "…" und "…" und "…" und "…"'],
  ['värdet ”secret” är ogiltigt', 'värdet "…" är ogiltigt'],
  ['値「secret」は型『secret』の範囲外です', '値"…"は型"…"の範囲外です'],
  ['value "secret of nobody who closes it', 'value "…"'],
  ['Wert „secret, der nicht endet', 'Wert "…"'],
  ['column "secret', 'column "…"'],
])('redaction: quotes of other languages, and those that nothing closes: %j', (message, said) => {
  expect(redactMessage(message)).toBe(said);
});

test('redaction: a message is cut when its values are gone, not within one', () => {
  const value = 'secret '.repeat(200);
  expect(redactMessage(`value "${value}" is out of range`)).toBe('value "…" is out of range');
  expect(redactMessage(`${'x'.repeat(480)} "${value}" y`)).toBe(`${'x'.repeat(480)} "…" y`);
  // Longer than what is read.
  expect(redactMessage(`value "${'secret '.repeat(100_000)}" is out of range`)).toBe('value "…"');
  expect(redactMessage(`${"'a ".repeat(100_000)}`)).not.toContain('a');
});

test.each([
  ['ungültige Eingabesyntax für Typ uuid: »secret«', 'ungültige Eingabesyntax für Typ uuid: "…"'],
  ['ungültige Eingabesyntax für Typ uuid: »a« b »secret', 'ungültige Eingabesyntax für Typ uuid: "…"'],
  ['Wert »secret« ist außerhalb', 'Wert "…" ist außerhalb'],
  ['syntaxe en entrée invalide pour le type uuid : « secret »', 'syntaxe en entrée invalide pour le type uuid : "…"'],
  ["l'objet « it's secret » n'a pas « secret »", 'l\'objet "…" n\'a pas "…"'],
  ['la sintaxis no es válida para tipo uuid: «secret»', 'la sintaxis no es válida para tipo uuid: "…"'],
  ['"uuid"型の入力構文が不正です: "secret"', '"…"型の入力構文が不正です: "…"'],
  ['neplatná hodnota „secret“', 'neplatná hodnota "…"'],
  ['neue Zeile für Relation »request« verletzt »never«', 'neue Zeile für Relation »request« verletzt »never«'],
  ['la relation « request » viole « secret »', 'la relation « request » viole "…"'],
])('redaction: of %j, in another language, the log says %j', (message, said) => {
  expect(redactMessage(message, { names: ['request', 'never'] })).toBe(said);
});

test('redaction: what a function says is told without words and numbers of the rows', () => {
  const json = JSON.stringify([{ realmId: 'acme corp', points: 12.5, input: { user: 'bob\nsmith', list: ['größe'] } }]);
  const words = wordsOf(json);
  expect(redactMessage('realm acme of bob, smith (größe) has 12.5 points: MD5 unsupported', { values: words })).toBe(
    'realm … of … … … has … points: MD5 unsupported',
  );
});

test('redaction: a message of any length is told to a bounded length', () => {
  expect(redactMessage('x'.repeat(100_000)).length).toBe(500);
});

test('redaction: of JSON that is too long or cannot be read nothing is known', () => {
  expect(wordsOf(`["${'x'.repeat(300_000)}"]`)).toBeNull();
  expect(wordsOf('{')).toBeNull();
});
