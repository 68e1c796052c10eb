import {
  arith,
  assignPoints,
  call,
  compare,
  extendStrategy,
  field,
  fullStrategy,
  literal,
  not,
  repeat,
  rule,
  set,
  setCaseName,
  setPoints,
  veto,
} from './node-drafts.ts';

/** A reading loses its worth over three days. Fails with DSL_ARITH_TYPE_MISMATCH when a device without a clock sent it. */
export const timeDecay = fullStrategy({
  id: '735d9fd2-b630-43dc-9c3f-d114db8466df',
  name: 'Time decay',
  version: 4,
  rules: [
    rule({
      id: 'freshness',
      condition: literal(true),
      body: [
        set(
          'set_data',
          'freshness',
          arith(literal(0), 'max', arith(literal(1), '-', arith(field('data.ageHours'), '/', literal(72)))),
        ),
        set('set_callback_data', 'freshness', field('data.freshness')),
      ],
    }),
    rule({
      id: 'fresh',
      condition: compare(field('data.freshness'), '>', literal(0)),
      body: [assignPoints(call('int', arith(literal(40), '*', field('data.freshness'))), 'FRESH')],
      else: [assignPoints(literal(1), 'STALE')],
    }),
  ],
});

/** The built-in `default`, vetoed outside the area and with more for difficult spots and at weekends. */
export const sponsoredArea = extendStrategy({
  id: '72c15b7c-8462-4644-b943-3ba545a4a8c7',
  name: 'Sponsored area',
  version: 2,
  preRules: [
    rule({ id: 'outside', condition: not(field('data.insideArea')), body: [veto('OUTSIDE_AREA')] }),
    rule({
      id: 'weekend',
      condition: field('data.weekend'),
      body: [set('set_data', 'multiplier', literal(2))],
      else: [set('set_data', 'multiplier', literal(1))],
    }),
  ],
  parent: 'default',
  postRules: [
    rule({
      id: 'multiply',
      condition: compare(field('parent.points'), '>', literal(0)),
      body: [
        setPoints(arith(field('parent.points'), '*', arith(field('data.multiplier'), '+', field('data.difficulty')))),
        set('set_callback_data', 'basePoints', field('parent.points')),
      ],
    }),
    rule({
      id: 'steady-weekend',
      condition: compare(field('parent.case_name'), '==', literal('STEADY')),
      body: [setCaseName(literal('STEADY_SPONSOR'))],
    }),
  ],
});

/** Counts the cells of a surveyed grid one by one: a survey of a whole district is DSL_LIMIT_EXCEEDED. */
export const gridCoverage = fullStrategy({
  id: 'aca07f66-394a-47ba-82b5-55095fe1f339',
  name: 'Grid coverage',
  version: 1,
  rules: [
    rule({
      id: 'cover',
      condition: literal(true),
      body: [
        set('set_data', 'cells', literal(0)),
        repeat(field('data.gridRows'), [
          repeat(field('data.gridColumns'), [set('set_data', 'cells', arith(field('data.cells'), '+', literal(1)))]),
        ]),
        assignPoints(arith(field('data.cells'), 'min', literal(100)), 'COVERED'),
      ],
    }),
  ],
});

/**
 * Smooths a track sample by sample. Its author raised the node limit instead of thinning the samples,
 * so an unthinned track is DSL_TIMEOUT: millions of nodes do not fit into 2 ms on any machine.
 */
export const routeSmoothing = fullStrategy({
  id: '58e3c44e-d148-4c9b-a656-23a26b485e28',
  name: 'Route smoothing',
  version: 5,
  limits: { maxNodes: 50_000_000, timeoutMs: 2 },
  rules: [
    rule({
      id: 'smooth',
      condition: literal(true),
      body: [
        set('set_data', 'smoothedKm', literal(0)),
        repeat(field('data.samples'), [
          set(
            'set_data',
            'smoothedKm',
            arith(
              arith(field('data.smoothedKm'), '*', literal(0.8)),
              '+',
              arith(field('data.distanceKm'), '*', literal(0.2)),
            ),
          ),
        ]),
        assignPoints(arith(field('data.smoothedKm'), '*', literal(10)), 'SMOOTHED'),
      ],
    }),
  ],
});
