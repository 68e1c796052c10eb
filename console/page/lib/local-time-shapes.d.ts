/**
 * How the page and the command line read times in the zone of their machine, typed once: the page's JavaScript is checked
 * against these types; the command line, which is compiled without that JavaScript, assumes them.
 */

/** An instant as a clock in the zone shows it, to the second, such as `2026-10-25T02:30:00`. */
export type ToReading = (ms: number) => string;

/** What the zone is ahead of UTC at an instant, such as `+02:00`. */
export type ToOffset = (ms: number) => string;

/**
 * The instants at which a clock in the zone shows a time such as `2026-10-25T02:30`, earliest first, in ms since 1970. There are
 * two while clocks are set back, and none while they are set forward, or if the text is not a time.
 */
export type ToInstants = (reading: string) => number[];

/**
 * The first instant of a day such as `2026-10-25` in the zone, in ms since 1970: where clocks skip midnight, the one at which they
 * are set forward. Null if the text is not a day.
 */
export type ToDayStart = (day: string) => number | null;
