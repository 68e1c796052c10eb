/** A number or a truth is itself, a text that begins with `data.` or `parent.` is read from there, a list is applied. */
export type Expression = number | boolean | string | Application;
interface Application extends ReadonlyArray<Expression> {
  readonly 0: string;
}

/** `assign_points`, `veto` and `return` end the rules; a veto skips the built-in, too. */
export type Statement =
  | readonly ['assign_points', points: Expression, caseName: string]
  | readonly ['set_points' | 'set_case_name' | 'set_callback_data', value: Expression]
  | readonly ['set_data', value: Expression, key: string]
  | readonly ['repeat', rounds: Expression, ...body: Statement[]]
  | readonly ['veto', caseName: string]
  | readonly ['return'];

/** The first arm whose condition holds runs; `else` always does, and counts as no match. */
export type Rule = readonly [id: string, ...arms: (readonly [condition: Expression, ...body: Statement[]])[]];

/** One version of one strategy, as plain JSON. */
export interface Strategy {
  /** a UUID */
  id: string;
  name: string;
  version: number;
  rules: readonly Rule[];
  /** runs when no rule has matched */
  default?: Statement;
  /** rules behind the built-in strategy `default`, which they extend and whose result they can read */
  extension?: readonly Rule[];
  /** nodes that one run may visit, what that stands for, and the code of the failure beyond. @default 1000 nodes */
  limit?: { nodes: number; budget: string; code: string };
}

/**
 * The strategies of the demo's games, most used first: events are drawn with a preference for the front of the list. Each
 * can fail on some events in its own way, but for the second; together one run in fourteen does.
 */
export const demoStrategies: readonly Strategy[] = [
  // Fails where a client left `accuracy` out.
  {
    ...{ id: '5f95995e-7e12-462c-a036-77249c32a6d2', name: 'Tiered rewards', version: 3 },
    rules: [
      [
        'tier',
        [
          ['>=', 'data.accuracy', 0.9],
          ['assign_points', ['*', 50, 'data.difficulty'], 'GOLD'],
        ],
        [
          ['>=', 'data.accuracy', 0.7],
          ['assign_points', ['*', 30, 'data.difficulty'], 'SILVER'],
        ],
        [
          ['>=', 'data.accuracy', 0.5],
          ['assign_points', 15, 'BRONZE'],
        ],
      ],
    ],
    default: ['assign_points', 5, 'PARTICIPATION'],
  },
  // More points for each day of a streak, from a week on or at weekends; a freeze earns nothing.
  {
    ...{ id: 'c92ba99c-4f0e-4348-87bd-e374d557e087', name: 'Streak bonus', version: 1 },
    rules: [
      ['frozen', [['==', 'data.usedFreeze', true], ['set_callback_data', true], ['return']]],
      [
        'streak',
        [
          ['or', ['>=', 'data.streakDays', 7], 'data.weekend'],
          ['set_callback_data', 'data.streakDays'],
          ['assign_points', ['+', 10, ['*', 2, ['clamp', 'data.streakDays', 0, 30]]], 'STREAK'],
        ],
      ],
    ],
    default: ['assign_points', 10, 'NO_STREAK'],
  },
  // A reading loses its worth over three days. Fails when a device without a clock sent it.
  {
    ...{ id: '735d9fd2-b630-43dc-9c3f-d114db8466df', name: 'Time decay', version: 4 },
    rules: [
      [
        'freshness',
        [
          true,
          ['set_data', ['max', 0, ['-', 1, ['/', 'data.ageHours', 72]]], 'freshness'],
          ['set_callback_data', 'data.freshness'],
        ],
      ],
      [
        'fresh',
        [
          ['>', 'data.freshness', 0],
          ['assign_points', ['int', ['*', 40, 'data.freshness']], 'FRESH'],
        ],
        ['else', ['assign_points', 1, 'STALE']],
      ],
    ],
  },
  // Divides by zero on a task that was opened but not tried.
  {
    ...{ id: '20bfc321-529b-4fdf-b3fb-34ca354f1978', name: 'Average per attempt', version: 2 },
    rules: [
      ['average', [true, ['set_data', ['/', 'data.correct', 'data.attempts'], 'average']]],
      [
        'reliable',
        [
          ['and', ['>', 'data.average', 0.5], ['>=', 'data.attempts', 3]],
          ['assign_points', ['int', ['*', 40, 'data.average']], 'RELIABLE'],
        ],
        ['else', ['assign_points', ['int', ['*', 20, 'data.average']], 'LEARNING']],
      ],
    ],
  },
  // Older clients send `level` as text, and some quests have no bonus in the catalogue.
  {
    ...{ id: 'a0fc662b-277e-4fb5-9440-730b4684f011', name: 'Level gate', version: 7 },
    rules: [
      [
        'bonus-quest',
        [
          ['and', ['>=', 'data.level', 10], ['not', 'data.usedFreeze']],
          ['assign_points', 'data.bonus', 'BONUS_QUEST'],
        ],
      ],
      [
        'climbing',
        [
          ['>=', 'data.level', 5],
          ['assign_points', ['*', 'data.level', 2], 'CLIMBING'],
        ],
      ],
    ],
    default: ['assign_points', 4, 'STARTER'],
  },
  // The built-in, vetoed outside the area, and with more for difficult spots and at weekends. Fails on a broken count.
  {
    ...{ id: '72c15b7c-8462-4644-b943-3ba545a4a8c7', name: 'Sponsored area', version: 2 },
    rules: [
      [
        'outside',
        [
          ['not', 'data.insideArea'],
          ['veto', 'OUTSIDE_AREA'],
        ],
      ],
      ['weekend', ['data.weekend', ['set_data', 2, 'multiplier']], ['else', ['set_data', 1, 'multiplier']]],
    ],
    extension: [
      [
        'multiply',
        [
          ['>', 'parent.points', 0],
          ['set_points', ['*', 'parent.points', ['+', 'data.multiplier', 'data.difficulty']]],
          ['set_callback_data', 'parent.points'],
        ],
      ],
      [
        'steady-weekend',
        [
          ['==', 'parent.case_name', 'STEADY'],
          ['set_case_name', 'STEADY_SPONSOR'],
        ],
      ],
    ],
  },
  // Counts the cells of a surveyed grid one by one: a survey of a whole district is too much.
  {
    ...{ id: 'aca07f66-394a-47ba-82b5-55095fe1f339', name: 'Grid coverage', version: 1 },
    rules: [
      [
        'cover',
        [
          true,
          ['set_data', 0, 'cells'],
          ['repeat', 'data.gridRows', ['repeat', 'data.gridColumns', ['set_data', ['+', 'data.cells', 1], 'cells']]],
          ['assign_points', ['min', 'data.cells', 100], 'COVERED'],
        ],
      ],
    ],
  },
  // Smooths a track sample by sample. Its limit stands for 2 ms: the same events time out on every machine.
  {
    ...{ id: '58e3c44e-d148-4c9b-a656-23a26b485e28', name: 'Route smoothing', version: 5 },
    limit: { nodes: 12_800, budget: '2 ms', code: 'DSL_TIMEOUT' },
    rules: [
      [
        'smooth',
        [
          true,
          ['set_data', 0, 'smoothedKm'],
          [
            'repeat',
            'data.samples',
            ['set_data', ['+', ['*', 'data.smoothedKm', 0.8], ['*', 'data.distanceKm', 0.2]], 'smoothedKm'],
          ],
          ['assign_points', ['*', 'data.smoothedKm', 10], 'SMOOTHED'],
        ],
      ],
    ],
  },
];
