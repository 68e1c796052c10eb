import { card, idText, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { pieceNames } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { count, span, time } from '../lib/format.js';

/** @typedef {import('../types.d.ts').Accounts} Accounts */
/** @typedef {Accounts['gaps'][number]} Gap */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** @type {Record<Gap['state'], string>} */
const badges = {
  missing: 'status-error',
  uncertain: 'status-timeout',
  unchecked: 'status-timeout',
  abandoned: 'status-timeout',
  failed: 'status-timeout',
  onDisk: '',
  unsent: '',
  queued: '',
};

/** Gaps in the numbers of chunks. @param {Accounts} answer */
export function gapsCard({ gaps, gapsLeftOut }) {
  return card(
    'Not arrived',
    {
      note:
        gapsLeftOut > 0
          ? `the first ${count(gaps.length)} of ${count(gaps.length + gapsLeftOut)}`
          : 'by the numbers of chunks',
    },
    gaps.length === 0
      ? el('p', { class: 'all-well' }, 'Every numbered chunk has arrived.')
      : table({
          caption: 'Gaps in the numbers of chunks',
          rows: gaps,
          keyOf: ({ queue, life, fromSeq, state }) => `${queue} ${life} ${fromSeq} ${state}`,
          columns: [
            {
              name: 'State',
              cell: ({ state }) => el('span', { class: `badge ${badges[state]}` }, pieceNames[state]),
            },
            { name: 'Records', isNumber: true, cell: ({ records }) => count(records) },
            {
              name: 'Chunks',
              isNumber: true,
              class: 'nowrap',
              cell: ({ fromSeq, untilSeq }) =>
                fromSeq === untilSeq ? count(fromSeq) : `${count(fromSeq)} to ${count(untilSeq)}`,
            },
            { name: 'Life', isHead: true, cell: ({ life }) => idText(life) },
            { name: 'Recorded', class: 'nowrap', cell: between },
            { name: 'Queue', cell: ({ queue }) => queue },
          ],
        }),
  );
}

/** @param {Gap} gap */
function between({ since, until }) {
  if (since === null || until === null) return timeText(null);
  return since === until ? time(since).slice(0, 16) : `${time(since).slice(0, 16)} to ${time(until).slice(11, 16)}`;
}

/** Lives that have not said goodbye. @param {Accounts} answer @param {ViewContext} context */
export function silentCard({ silentLives, silentLivesLeftOut }, { nowMs }) {
  if (silentLives.length === 0) return null;
  return card(
    'Ended without a word',
    {
      note:
        silentLivesLeftOut > 0 ? `and ${count(silentLivesLeftOut)} more` : 'what they had in memory, nobody can know',
    },
    table({
      caption: 'Producers that ended without a word',
      rows: silentLives,
      keyOf: ({ queue, life }) => `${queue} ${life}`,
      columns: [
        { name: 'Life', isHead: true, cell: ({ life }) => idText(life) },
        { name: 'Last heard', class: 'nowrap', cell: ({ lastHeardAt }) => timeText(lastHeardAt, nowMs) },
        { name: 'Last seen with it', isNumber: true, cell: ({ uncertain }) => count(uncertain) },
        { name: 'May be lost', isNumber: true, cell: ({ upTo }) => `0 to ${count(upTo)}` },
        { name: 'Queue', cell: ({ queue }) => queue },
      ],
    }),
  );
}

/** Lives whose clock is off. @param {Accounts} answer @param {ViewContext} context */
export function clocksCard({ clocks }, { nowMs }) {
  if (clocks.length === 0) return null;
  return card(
    'Wrong clocks',
    { note: 'their records are booked by their own minutes, which may be in another window' },
    table({
      caption: 'Producers whose clock differs from that of the database',
      rows: clocks,
      keyOf: ({ queue, life }) => `${queue} ${life}`,
      columns: [
        { name: 'Life', isHead: true, cell: ({ life }) => idText(life) },
        {
          name: 'Off by',
          class: 'nowrap',
          cell: ({ offSeconds }) => `${span(Math.abs(offSeconds) * 1_000)} ${offSeconds > 0 ? 'ahead' : 'behind'}`,
        },
        { name: 'Last heard', class: 'nowrap', cell: ({ lastHeardAt }) => timeText(lastHeardAt, nowMs) },
        { name: 'Queue', cell: ({ queue }) => queue },
      ],
    }),
  );
}
