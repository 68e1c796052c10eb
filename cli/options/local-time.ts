// @ts-expect-error It has no declarations. The page's own check compares it with the types that it is given here.
import * as timesOfPage from '../../console/page/lib/local-time.js';
import type { ToDayStart, ToInstants, ToOffset } from '../../console/page/lib/local-time-shapes.d.ts';

/** The page's JavaScript, which the browser loads as it is, knows the clocks of the machine's time zone (TZ): once for both. */
export const toDayStart: ToDayStart = timesOfPage.toDayStart;
export const toInstants: ToInstants = timesOfPage.toInstants;
export const toOffset: ToOffset = timesOfPage.toOffset;
export const zoneName: () => string = timesOfPage.zoneName;
