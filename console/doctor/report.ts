import { type Finding, type Level, levels } from './finding.ts';

const symbols: Record<Level, string> = { ok: '✓', warning: '!', failure: '✗' };
const colours: Record<Level, number> = { ok: 32, warning: 33, failure: 31 };

/**
 * The findings as lines for a terminal, one each, in columns, and a line that sums up. Reads without colours: symbol and
 * word say the same.
 */
export function toLines(findings: readonly Finding[], options: { colours: boolean }): string[] {
  const widest = (text: (finding: Finding) => string): number =>
    Math.max(0, ...findings.map((finding) => text(finding).length));
  const subjectWidth = widest(({ subject }) => subject);
  const checkWidth = widest(({ check }) => check);
  const levelWidth = Math.max(...levels.map((level) => level.length));
  const lines = findings.map(({ subject, check, level, message, remedy }) => {
    const mark = `${symbols[level]} ${level.padEnd(levelWidth)}`;
    const shown = options.colours ? `\u001b[${colours[level]}m${mark}\u001b[0m` : mark;
    const text = printable(remedy === null ? message : `${message} -> ${remedy}`);
    return `${shown}  ${subject.padEnd(subjectWidth)}  ${check.padEnd(checkWidth)}  ${text}`;
  });
  return [...lines, '', summary(findings)];
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return `${count('ok')} ok, warnings: ${count('warning')}, failures: ${count('failure')}`;
}

/** What servers say and what signatures quote must neither break the line nor speak to the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
