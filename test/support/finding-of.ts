import type { Finding } from '../../doctor/finding.ts';

/** The level and the text of the one finding with this check; the text holds message and remedy. */
export function findingOf(findings: readonly Finding[], check: string): { level: string; text: string } {
  const found = findings.filter((finding) => finding.check === check);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} findings on ${check}`);
  if ((only.level === 'ok') !== (only.remedy === null)) throw new Error(`${check}: a remedy is for what is not ok`);
  return { level: only.level, text: `${only.message} -> ${only.remedy}` };
}
