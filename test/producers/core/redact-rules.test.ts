import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createRedaction } from '../../../producers/core/redact.ts';
import { createCompletedRequestSender, createExecutionObserver, UsageError } from '../../../producers/index.ts';

function rulesFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-redact-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'redact.json');
  writeFileSync(file, text);
  return file;
}

const messageOf = (given: unknown): string => {
  try {
    createRedaction({ rules: given as never });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};

test.each([
  [{}, 'rules is no list'],
  [{ rules: [] }, 'rules is empty'],
  [{ rules: [], more: 1 }, 'more is not known'],
  [{ rules: [1] }, 'rules[0] is no object'],
  [
    {
      rules: [
        { do: 'mask', at: 'input.a' },
        { do: 'blur', at: 'input' },
      ],
    },
    'rules[1].do is "blur"; accepted: drop, mask',
  ],
  [{ rules: [{ do: 'mask' }] }, 'rules[0].at is missing'],
  [{ rules: [{ do: 'mask', at: [] }] }, 'rules[0].at is no list of 1 to 500 texts'],
  [{ rules: [{ do: 'mask', at: [7] }] }, 'rules[0].at holds what is no text'],
  [
    { rules: [{ do: 'mask', at: 'inputs.a' }] },
    'rules[0].at has the path "inputs.a"; accepted as its beginning: **, trace',
  ],
  [{ rules: [{ do: 'mask', at: 'realmId' }] }, 'rules[0].at has the path "realmId"; accepted as its beginning'],
  [{ rules: [{ do: 'mask', at: 'createdBy' }] }, 'rules[0].at has the path "createdBy"'],
  [{ rules: [{ do: 'mask', at: 'externalUserId.a' }] }, 'externalUserId is a text and has nothing below'],
  [{ rules: [{ do: 'mask', at: 'input..a' }] }, 'rules[0].at has the path "input..a", which is wrong at character 6'],
  [{ rules: [{ do: 'mask', at: 'input[x]' }] }, 'which is wrong at character 6'],
  [{ rules: [{ do: 'mask', at: 'input[0]a' }] }, 'which is wrong at character 9'],
  [{ rules: [{ do: 'mask', at: '.input' }] }, 'which is wrong at character 1'],
  [{ rules: [{ do: 'mask', at: `input${'.a'.repeat(33)}` }] }, 'of more than 32 steps'],
  [{ rules: [{ do: 'mask', find: ['phone'] }] }, 'rules[0].find is "phone"; accepted: email, creditCard, iban'],
  [{ rules: [{ do: 'drop', at: 'input', with: 'x' }] }, 'rules[0].with is for mask only'],
  [{ rules: [{ do: 'mask', at: 'input', with: 'x'.repeat(201) }] }, 'rules[0].with is no text of at most 200'],
  [{ rules: [{ do: 'mask', at: 'input', wiht: 'x' }] }, 'rules[0].wiht is not known'],
  [{ rules: [{ do: 'mask', find: ['email'], nodes: ['n'] }] }, 'rules[0].nodes cannot be together with find'],
  [{ rules: [{ do: 'hash', at: 'externalUserId' }] }, 'SLUICE_REDACT_KEY has fewer than 16 characters'],
])('redaction: %j is refused, and the error names the rule and the field', (rules, problem) => {
  expect(messageOf(rules)).toContain(problem);
});

test('redaction: a file that is missing, is no JSON or has a wrong rule is an error at construction, in each producer', () => {
  const wrong = rulesFile('{"rules":[{"do":"mask","at":"input.a"},{"do":"mask","at":"inptu"}]}');
  const cases = [
    ['/nowhere/redact.json', 'SLUICE_REDACT_FILE: "/nowhere/redact.json" cannot be read (ENOENT)'],
    [rulesFile('{'), 'is no JSON'],
    [wrong, `SLUICE_REDACT_FILE: ${JSON.stringify(wrong)}: rules[1].at has the path "inptu"`],
  ] as const;
  for (const [file, problem] of cases) {
    const options = { redact: { file }, redisUrl: 'redis://127.0.0.1:1', registry: new Registry() };
    expect(() => createExecutionObserver(options)).toThrow(problem);
    expect(() => createCompletedRequestSender(options)).toThrow(problem);
    expect(() => createExecutionObserver(options)).toThrow(UsageError);
  }
  expect(() => createRedaction({ file: wrong, rules: { rules: [] } })).toThrow('both are set');
  expect(createRedaction({})).toBeNull();
  expect(createRedaction({ file: null, rules: null, key: 'k'.repeat(16) })).toBeNull();
});

test('redaction: no error shows the key', () => {
  const key = 'short-secret';
  const rules = { rules: [{ do: 'hash', at: 'externalUserId' }] } as const;
  expect(() => createRedaction({ rules, key })).toThrow(/^(?!.*short-secret)/s);
});
