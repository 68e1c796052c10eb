import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rows } from '../../../ops/grafana/panels.ts';
import { toDashboard } from '../../../ops/grafana/to-dashboard.ts';
import { dashboardFile, dashboardText } from '../../../ops/grafana/write-dashboard.ts';

interface Placed {
  id: number;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
}

test('dashboard: the file is what its list of panels makes; if not, run npm run dashboard', () => {
  expect(readFileSync(dashboardFile, 'utf8')).toBe(dashboardText());
});

test('dashboard: no two panels cover each other or share an id', () => {
  const { panels } = toDashboard(rows) as { panels: Placed[] };
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

test('dashboard: titles are unique within a row', () => {
  for (const { panels } of rows) expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
});
