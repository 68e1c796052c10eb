import { expect } from 'vitest';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { UsageError } from '../../shared/platform/errors.ts';

/** The lines of the refusal, without its heading; none when the environment is accepted. */
export function problemsOf(environment: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const [heading, ...lines] = (error as UsageError).message.split('\n');
    expect(heading).toBe(`the configuration has ${lines.length} problem${lines.length === 1 ? '' : 's'}:`);
    return lines.map((line) => line.replace(/^ {2}/, ''));
  }
}
