import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { createDirectory } from '../../support/fixtures.ts';
import { promtool, rulesFile } from '../../support/prometheus.ts';
import { type AlertCase, alertCases } from './alert-cases.ts';

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { name: string; rules: Rule[] }[] };
const alerts = groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));

test('alerts: promtool accepts the rules', async () => {
  expect(await promtool(['check', 'rules', rulesFile])).toContain('SUCCESS');
});

test('scrape configuration: promtool accepts it, and the containers that it names are those of the Compose file', async () => {
  const file = new URL('../../../ops/prometheus/prometheus.yml', import.meta.url).pathname;
  // The file with the token is the operator's, and not there.
  expect(await promtool(['check', 'config', '--syntax-only', file])).toContain('SUCCESS');
  const { services } = parse(readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8'), {
    merge: true,
  });
  const { scrape_configs } = parse(readFileSync(file, 'utf8'));
  const named = scrape_configs.flatMap((job: { dns_sd_configs: { names: string[] }[] }) =>
    job.dns_sd_configs.flatMap(({ names }) => names),
  );
  const serving = Object.keys(services).filter((name) => 'SLUICE_METRICS_TOKEN' in (services[name].environment ?? {}));
  expect(named.toSorted()).toEqual(serving.toSorted());
});

test('alerts: each has a case, a severity, and a section in the docs that its runbook link names', () => {
  expect(alertCases.map(({ alert }) => alert).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  const page = readFileSync(new URL('../../../docs/monitoring.md', import.meta.url), 'utf8');
  for (const { alert, labels, annotations } of alerts) {
    expect(['warning', 'critical']).toContain(labels?.['severity']);
    expect(annotations?.['runbook_url']).toBe(`docs/monitoring.md#${alert?.toLowerCase()}`);
    expect(page.split('\n')).toContain(`### ${alert}`);
  }
  const sections = Array.from(page.matchAll(/^### (Sluice\w+)$/gm), ([, name]) => name);
  expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test('alerts: there is one for each metric that the docs say to alert on', () => {
  const pages = ['operations', 'executions', 'completed-requests', 'health-events'].map((name) =>
    readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8'),
  );
  // A sentence, or the list below it.
  const passages = pages.flatMap((page) => page.match(/\b[Aa]lert on\b[\s\S]*?(?=\.\s|\n\n(?!- )|;)/g) ?? []);
  const named = new Set(passages.flatMap((text) => text.match(/\bsluice_\w+/g) ?? []));
  expect(named.size).toBeGreaterThanOrEqual(12);
  const watched = alerts.map(({ expr }) => expr).join('\n');
  expect(Array.from(named).filter((name) => !watched.includes(name))).toEqual([]);
});

for (const interval of new Set(alertCases.map(intervalOf)))
  test(`alerts: each fires for its fault, and neither before nor without it, evaluated every ${interval}`, async () => {
    const cases = alertCases.filter((one) => intervalOf(one) === interval);
    const file = join(await createDirectory(), 'alerts.test.yml');
    await writeFile(file, toTestFile(cases.flatMap(toTests), interval));
    expect(await promtool(['test', 'rules', file])).toContain('SUCCESS');
  }, 120_000);

test('recordings: the backlog in seconds is that of the console, without workers and for a paused queue, too', async () => {
  const backlog = (queue: string, jobs: number, completions: number, paused: number) => [
    { series: `sluice_queue_backlog_jobs{instance="console",queue="${queue}"}`, values: `${jobs}x1` },
    {
      series: `sluice_queue_rate{instance="console",queue="${queue}",direction="completion"}`,
      values: `${completions}x1`,
    },
    { series: `sluice_queue_paused{instance="console",queue="${queue}"}`, values: `${paused}x1` },
  ];
  const file = join(await createDirectory(), 'recordings.test.yml');
  const name = 'namespace_queue:sluice_queue_backlog_seconds:max';
  const tests = [
    {
      interval: '1m',
      input_series: [...backlog('moving', 30, 2, 0), ...backlog('unattended', 3, 0, 0), ...backlog('paused', 9, 0, 1)],
      promql_expr_test: [
        {
          expr: name,
          eval_time: '1m',
          exp_samples: [
            { labels: `${name}{queue="moving"}`, value: 15 },
            { labels: `${name}{queue="unattended"}`, value: 180 },
            { labels: `${name}{queue="paused"}`, value: 0 },
          ],
        },
      ],
    },
  ];
  await writeFile(file, toTestFile(tests));
  expect(await promtool(['test', 'rules', file])).toContain('SUCCESS');
});

function intervalOf({ interval = '1m' }: AlertCase): string {
  return interval;
}

function toTests(one: AlertCase): object[] {
  const { alert, fault, calm, firesAt, calmUntil = '0m', labels } = one;
  const firing = [{ exp_labels: labelsOf(alert, labels), exp_annotations: annotationsOf(alert, labels) }];
  const of = (series: Record<string, string>, name: string, expected: object[]) => ({
    name: `${alert}: ${name}`,
    interval: intervalOf(one),
    input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
    alert_rule_test: expected,
  });
  return [
    of(fault, 'a fault', [
      { eval_time: firesAt, alertname: alert, exp_alerts: firing },
      { eval_time: calmUntil, alertname: alert, exp_alerts: [] },
    ]),
    of(calm, 'none', [{ eval_time: firesAt, alertname: alert, exp_alerts: [] }]),
  ];
}

/** Recordings before the alerts that are made of them. */
function toTestFile(tests: readonly object[], evaluation_interval = '1m'): string {
  const group_eval_order = groups.map(({ name }) => name);
  return stringify({ rule_files: [rulesFile], evaluation_interval, group_eval_order, tests });
}

function ruleOf(alert: string): Rule {
  return alerts.find((rule) => rule.alert === alert) ?? { expr: '' };
}

function labelsOf(alert: string, labels: Record<string, string>): Record<string, string> {
  return { ...labels, ...ruleOf(alert).labels };
}

/** What Prometheus makes of the templates of the annotations. */
function annotationsOf(alert: string, labels: Record<string, string>): Record<string, string> {
  const texts = Object.entries(ruleOf(alert).annotations ?? {});
  return Object.fromEntries(
    texts.map(([name, text]) => [
      name,
      text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? ''),
    ]),
  );
}
