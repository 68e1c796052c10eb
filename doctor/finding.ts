/** The severity of a finding, from best to worst. */
export const levels = ['ok', 'warning', 'failure'] as const;
export type Level = (typeof levels)[number];

/** What the doctor found out about one thing. */
export interface Finding {
  /** what was checked: `host`, `configuration`, `redis`, `postgres`, `dead letters`, `health events`, `ledger`, `gateway` or `queue <name>` */
  subject: string;
  /** which of its properties, in a word or two */
  check: string;
  /** failure: records are not stored, or will be lost; warning: records are stored, but somebody should look into it */
  level: Level;
  /** one line, without secrets */
  message: string;
  /** what to do about it, in one line; null if there is nothing to do */
  remedy: string | null;
}

/** The level of the worst finding; `ok` if there is none. */
export function worstOf(findings: readonly Finding[]): Level {
  return levels.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok';
}

/** Creates findings about one subject. Every finding that is not ok has a remedy. */
export function findingsOn(subject: string) {
  const make =
    <L extends Level>(level: L) =>
    (check: string, message: string, remedy: string): Finding => ({ subject, check, level, message, remedy });
  return {
    ok: (check: string, message: string): Finding => ({ subject, check, level: 'ok', message, remedy: null }),
    warning: make('warning'),
    failure: make('failure'),
  };
}
