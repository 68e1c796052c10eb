import { type Finding, type Level, levels } from '../../doctor/finding.ts';
import type { Line, Tone } from '../output/line.ts';
import { padToWidth, widthOf } from '../output/width.ts';

const symbols: Record<Level, string> = { ok: '✓', warning: '!', failure: '✗' };
const tones: Record<Level, Tone> = { ok: 'good', warning: 'warning', failure: 'bad' };

/** The findings for a person: a line each, in columns, and a summary line. Symbol and word say the same as the colour. */
export function toFindingLines(findings: readonly Finding[]): Line[] {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf));
  const subjectWidth = widest(findings.map(({ subject }) => subject));
  const checkWidth = widest(findings.map(({ check }) => check));
  const levelWidth = widest(levels);
  const lines = findings.map(({ subject, check, level, message, remedy }): Line => {
    const mark = `${symbols[level]} ${padToWidth(level, levelWidth, 'left')}`;
    const names = `${padToWidth(subject, subjectWidth, 'left')}  ${padToWidth(check, checkWidth, 'left')}`;
    // Messages of servers contain line breaks.
    const text = (remedy === null ? message : `${message} -> ${remedy}`).replaceAll(/\s+/gu, ' ');
    return [{ text: mark, tone: tones[level] }, `  ${names}  ${text}`];
  });
  return [...lines, '', summary(findings)];
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return `${count('ok')} ok, warnings: ${count('warning')}, failures: ${count('failure')}`;
}
