import type { Panel, Row } from './panels.ts';

const columns = 24;
const panelsAbreast = 3;
const panelHeight = 8;

const source = { type: 'prometheus', uid: '$datasource' };

/** A dashboard as Grafana imports it: a variable for the data source and one for the fleet, and the panels three abreast. */
export function toDashboard(rows: readonly Row[]): object {
  let y = 0;
  let id = 0;
  const placed = rows.flatMap(({ title, panels }) => {
    const row = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y: y++, w: columns, h: 1 },
    };
    const width = columns / panelsAbreast;
    const placedPanels = panels.map((panel, index) => ({
      id: ++id,
      gridPos: {
        x: (index % panelsAbreast) * width,
        y: y + Math.floor(index / panelsAbreast) * panelHeight,
        w: width,
        h: panelHeight,
      },
      ...toTimeSeries(panel),
    }));
    y += Math.ceil(panels.length / panelsAbreast) * panelHeight;
    return [row, ...placedPanels];
  });
  return {
    uid: 'sluice',
    title: 'Sluice',
    tags: ['sluice'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'namespace',
          label: 'Fleet',
          type: 'query',
          datasource: source,
          definition: 'label_values(sluice_database_outage, namespace)',
          query: { query: 'label_values(sluice_database_outage, namespace)', refId: 'namespace' },
          refresh: 2,
          includeAll: true,
          // Also what has no such label.
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: placed,
  };
}

function toTimeSeries({ title, description, unit, queries }: Panel): object {
  return {
    type: 'timeseries',
    title,
    ...(description === undefined ? {} : { description }),
    datasource: source,
    fieldConfig: {
      defaults: { unit, min: 0, custom: { drawStyle: 'line', fillOpacity: 10, showPoints: 'never' } },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: source,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: true,
    })),
  };
}
