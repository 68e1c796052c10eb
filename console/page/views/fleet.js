import { rankedList } from '../components/bars.js';
import { chart } from '../components/chart.js';
import { card, figure, figures } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { count, decimal, nothing, span, time } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';
import { gamesCard, healthFigures } from './health-parts.js';

/** @typedef {import('../types.d.ts').QueueList} QueueList */
/** @typedef {import('../types.d.ts').HealthEvents} HealthEvents */
/** @typedef {import('../types.d.ts').DeadLetterCauses} DeadLetterCauses */
/** @typedef {QueueList['queues'][number]} Queue */
/** @typedef {NonNullable<Queue['shards']>[number]} Shard */
/** @typedef {import('../types.d.ts').QueueHistory} QueueHistory */
/** @typedef {QueueHistory['queues'][number]['samples']} Samples */

/** @type {import('../types.d.ts').View<{ queues: QueueList, history: QueueHistory, causes: DeadLetterCauses, health: HealthEvents }>} */
export const fleet = {
  title: () => 'Fleet',
  hasWindow: false,
  async load(_route, signal) {
    const [queues, history, causes, health] = await Promise.all([
      get('queues', { shards: true }, signal),
      get('queues/history', {}, signal),
      get('dead-letters/causes', { state: 'open', limit: 5 }, signal),
      get('health-events', {}, signal),
    ]);
    return { queues, history, causes, health };
  },
  render({ queues, history, causes, health }, { route }) {
    const samplesOf = (/** @type {Queue} */ queue) => withNow(history, queue, queues.at);
    return [
      el(
        'div',
        { class: 'grid two', key: 'queues' },
        queues.queues.map((queue) => queueCard(queue, samplesOf(queue))),
      ),
      el(
        'div',
        { class: 'grid two', key: 'rest' },
        card(
          'Dead letters',
          { note: 'open, by cause', actions: el('a', { href: hrefTo(route, 'dead-letters') }, 'All dead letters') },
          causes.causes.length === 0
            ? el('p', { class: 'all-well' }, 'There are no open dead letters.')
            : rankedList(
                'Open dead letters by cause',
                causes.causes.map(({ queue, signature, deadLetters }) => ({
                  name: `${queue}: ${signature}`,
                  tally: { rows: deadLetters, runs: deadLetters },
                  kind: 'error',
                  href: hrefTo(route, 'dead-letters', { queue, signature }),
                })),
              ),
        ),
        gamesCard(health, route),
      ),
      card(
        'Health events',
        { actions: el('a', { href: hrefTo(route, 'health') }, 'All games') },
        healthFigures(health),
      ),
    ];
  },
};

/**
 * The samples of a queue, up to its current state.
 *
 * @param {QueueHistory} history
 * @param {Queue} queue
 * @param {string} at
 * @returns {Samples}
 */
function withNow(history, { queue, waiting, active, delayed, oldestAgeSeconds }, at) {
  const samples = history.queues.find((one) => one.queue === queue)?.samples ?? [];
  const now = { at, depth: waiting + active + delayed, oldestAgeSeconds };
  return [...samples.filter((sample) => sample.at < at), now];
}

/** @param {Queue} queue @param {Samples} samples */
function queueCard(queue, samples) {
  const { rates, workers } = queue;
  const depth = queue.waiting + queue.active + queue.delayed;
  return card(
    queue.queue,
    {
      note: queue.isPaused ? el('span', { class: 'badge status-timeout' }, 'paused') : 'jobs, each a chunk of records',
      actions: el('a', { href: `queues/queue/${encodeURIComponent(queue.queue)}` }, 'Bull Board'),
    },
    figures(
      figure(
        'Depth',
        count(depth),
        `${count(queue.waiting)} waiting, ${count(queue.active)} active, ${count(queue.delayed)} delayed`,
      ),
      figure(
        'Oldest',
        queue.oldestAgeSeconds === null ? nothing : span(queue.oldestAgeSeconds * 1_000),
        queue.oldestAgeSeconds === null ? 'nothing is waiting' : 'the longest wait',
      ),
      figure(
        'Workers',
        workers === null ? nothing : count(workers),
        workers === 0 ? 'no process takes jobs' : 'processes that take jobs',
        workers === 0 ? 'bad' : null,
      ),
      figure(
        'Done',
        rates === null ? nothing : `${decimal(rates.completionsPerSecond)}/s`,
        rates === null ? 'measuring' : `${decimal(rates.arrivalsPerSecond)}/s arrive`,
      ),
      figure('Empty in', drainText(queue), drainDetail(queue)),
      figure('Failed', count(queue.failed), 'jobs', queue.failed > 0 ? 'bad' : null),
    ),
    ...overTime(queue, samples),
    shardsOf(queue),
  );
}

/**
 * The shards of a queue that has several, on demand.
 *
 * @param {Queue} queue
 */
function shardsOf({ queue, shards = [], isPartial }) {
  if (shards.length < 2) return null;
  return el(
    'details',
    { class: 'values', key: 'shards' },
    el('summary', null, `${count(shards.length)} shards${isPartial ? ', not all of which answer' : ''}`),
    table({
      caption: `Shards of ${queue}`,
      keyOf: (/** @type {Shard} */ { name }) => name,
      rows: shards,
      columns: [
        {
          name: 'Shard',
          isHead: true,
          cell: ({ name }) => el('a', { href: `queues/queue/${encodeURIComponent(name)}` }, name),
        },
        {
          name: 'State',
          cell: ({ isStale, isPaused }) => {
            if (isStale) return el('span', { class: 'badge status-error' }, 'does not answer');
            return isPaused ? el('span', { class: 'badge status-timeout' }, 'paused') : 'open';
          },
        },
        { name: 'Waiting', isNumber: true, cell: ({ waiting }) => count(waiting), csv: ({ waiting }) => waiting },
        { name: 'Active', isNumber: true, cell: ({ active }) => count(active), csv: ({ active }) => active },
        { name: 'Delayed', isNumber: true, cell: ({ delayed }) => count(delayed), csv: ({ delayed }) => delayed },
        { name: 'Failed', isNumber: true, cell: ({ failed }) => count(failed), csv: ({ failed }) => failed },
        {
          name: 'Oldest',
          isNumber: true,
          cell: ({ oldestAgeSeconds }) => (oldestAgeSeconds === null ? nothing : span(oldestAgeSeconds * 1_000)),
          csv: { 'Oldest (s)': ({ oldestAgeSeconds }) => oldestAgeSeconds },
        },
      ],
    }),
  );
}

/** @param {Queue} queue */
function drainText({ drainSeconds }) {
  if (drainSeconds === null) return nothing;
  return drainSeconds === 0 ? 'now' : span(drainSeconds * 1_000);
}

/** @param {Queue} queue */
function drainDetail({ drainSeconds }) {
  if (drainSeconds === null) return 'no jobs are completed';
  return drainSeconds === 0 ? 'nothing is left' : 'at this rate';
}

/** @param {Queue} queue @param {Samples} samples */
function overTime({ queue, oldestAgeSeconds, waiting, active, delayed }, samples) {
  const times = samples.map(({ at }) => Date.parse(at) / 1_000);
  const since = `since ${time(samples[0]?.at ?? 0)}`;
  return [
    chart({
      title: `Depth of ${queue} over time`,
      summary: `${count(waiting + active + delayed)} jobs now; highest ${count(Math.max(0, ...samples.map(({ depth }) => depth)))} ${since}`,
      kind: 'lines',
      minSpanSeconds: 600,
      isLow: true,
      times,
      lines: [{ name: 'depth, jobs', color: '--p50', values: samples.map(({ depth }) => depth) }],
      write: (value) => (value === null ? nothing : count(value)),
    }),
    chart({
      title: `Age of the oldest job of ${queue} over time`,
      summary:
        oldestAgeSeconds === null
          ? `nothing is waiting now, ${since}`
          : `${span(oldestAgeSeconds * 1_000)} now, ${since}`,
      kind: 'lines',
      minSpanSeconds: 600,
      isLow: true,
      times,
      lines: [
        {
          name: 'age of the oldest, s',
          color: '--p95',
          values: samples.map(({ oldestAgeSeconds }) => oldestAgeSeconds ?? 0),
        },
      ],
      write: (value) => (value === null ? nothing : span(value * 1_000)),
    }),
  ];
}
