import { accounts } from '../views/accounts.js';
import { compare } from '../views/compare.js';
import { deadLetters } from '../views/dead-letters.js';
import { fleet } from '../views/fleet.js';
import { health } from '../views/health.js';
import { requestCompare } from '../views/request-compare.js';
import { requests } from '../views/requests.js';
import { strategies } from '../views/strategies.js';
import { strategy } from '../views/strategy.js';

/** The views by their names in the URL. @type {Record<string, import('../types.d.ts').View<any>>} */
export const views = {
  strategies,
  strategy,
  compare,
  fleet,
  'dead-letters': deadLetters,
  health,
  requests,
  'request-compare': requestCompare,
  accounts,
};

/** In the order of the navigation. @type {readonly [name: string, text: string][]} */
export const entries = [
  ['strategies', 'Strategies'],
  ['compare', 'Compare'],
  ['fleet', 'Fleet'],
  ['dead-letters', 'Dead letters'],
  ['health', 'Health'],
  ['requests', 'Requests'],
  ['accounts', 'Accounts'],
];
