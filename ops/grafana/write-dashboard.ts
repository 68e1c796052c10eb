/** `npm run dashboard`: writes the dashboard anew from the list of its panels. */
import { writeFileSync } from 'node:fs';
import { rows } from './panels.ts';
import { toDashboard } from './to-dashboard.ts';

/** The file that operators import. */
export const dashboardFile = new URL('sluice.json', import.meta.url);

/** What belongs in it. */
export function dashboardText(): string {
  return `${JSON.stringify(toDashboard(rows), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(dashboardFile, dashboardText());
