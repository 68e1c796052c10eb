import { rankedList } from '../components/bars.js';
import { card, figure, figures } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { count, nothing, span, time } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';

/** @typedef {import('../types.d.ts').HealthEvents} HealthEvents */

/** @type {Record<keyof HealthEvents['games'], string>} */
const kinds = {
  running: 'ok',
  starting: 'limit',
  generation_in_progress: 'limit',
  generation_failed: 'error',
  engine_unreachable: 'error',
  stopped: 'cancelled',
  finished: 'cancelled',
};

/** @param {HealthEvents} health @param {import('../lib/route.js').Route} route */
export function gamesCard({ games, stuck }, route) {
  const entries = Object.entries(games).toSorted(([, a], [, b]) => b - a);
  const total = entries.reduce((sum, [, games]) => sum + games, 0);
  return card(
    'Games by status',
    { note: `${count(total)} in total` },
    rankedList(
      'Games by status',
      entries.map(([status, games]) => ({
        name: status.replaceAll('_', ' '),
        tally: { rows: games, runs: games },
        kind: kinds[/** @type {keyof HealthEvents['games']} */ (status)],
        href: games === 0 ? null : hrefTo(route, 'health', { status }),
      })),
    ),
    stuck.records === 0
      ? null
      : el(
          'p',
          { class: 'warning' },
          `${count(stuck.records)} reported as unreachable and healthy at once, such as ${stuck.gameIds.join(', ')}: restarted, but no recovery was reported.`,
        ),
  );
}

/** @param {HealthEvents} health */
export function healthFigures({ mode, stream, lease, lag, outbox, lobbyRival, gap, deadLetters }) {
  return figures(
    figure(
      'Lag',
      lag === null ? nothing : lag.entries === null ? span(lag.ms) : count(lag.entries),
      lag === null
        ? 'the offset is not an entry id'
        : lag.entries === 0
          ? 'everything is read'
          : `unread entries; the oldest waits ${span(lag.ms)}`,
      lag !== null && lag.ms > 60_000 ? 'bad' : null,
    ),
    figure(
      'Reader',
      lease === null ? 'none yet' : lease.isHeld ? 'running' : 'gone',
      lease === null
        ? `mode ${mode}`
        : [
            el('span', { class: 'id', title: lease.holder }, lease.holder),
            lease.isHeld ? ` for ${span(lease.heldForMs)}` : ` until ${span(lease.expiredForMs)} ago`,
          ],
      lease !== null && !lease.isHeld ? 'bad' : null,
    ),
    figure(
      'To publish',
      count(outbox.rows),
      lobbyRival?.state === 'publishes'
        ? `label ${lobbyRival.label} publishes, so this consumer does not`
        : outbox.oldestAgeMs === null
          ? 'everything is published'
          : `the oldest waits ${span(outbox.oldestAgeMs)}`,
      lobbyRival ? 'warn' : null,
    ),
    figure(
      'Lost unread',
      count(gap.entries),
      gap.noticedAt === null ? 'nothing was trimmed unread' : `noticed ${time(gap.noticedAt)}`,
      gap.entries > 0 ? 'warn' : null,
    ),
    figure('Dead letters', count(deadLetters), `open, of ${stream}`, deadLetters > 0 ? 'warn' : null),
  );
}
