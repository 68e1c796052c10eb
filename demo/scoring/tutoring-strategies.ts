import {
  arith,
  assignPoints,
  call,
  compare,
  endPhase,
  field,
  fullStrategy,
  literal,
  logic,
  not,
  rule,
  set,
} from './node-drafts.ts';

/** Medals by accuracy. Fails with DSL_COMPARE_TYPE_MISMATCH where a client left `accuracy` out. */
export const tieredRewards = fullStrategy({
  id: '5f95995e-7e12-462c-a036-77249c32a6d2',
  name: 'Tiered rewards',
  version: 3,
  rules: [
    rule({
      id: 'tier',
      condition: compare(field('data.accuracy'), '>=', literal(0.9)),
      body: [assignPoints(arith(literal(50), '*', field('data.difficulty')), 'GOLD')],
      elseIf: [
        {
          condition: compare(field('data.accuracy'), '>=', literal(0.7)),
          body: [assignPoints(arith(literal(30), '*', field('data.difficulty')), 'SILVER')],
        },
        {
          condition: compare(field('data.accuracy'), '>=', literal(0.5)),
          body: [assignPoints(literal(15), 'BRONZE')],
        },
      ],
    }),
  ],
  default: [assignPoints(literal(5), 'PARTICIPATION')],
});

/** More points for each day of a streak, at most for 30, from a week on or at weekends; a freeze earns nothing. */
export const streakBonus = fullStrategy({
  id: 'c92ba99c-4f0e-4348-87bd-e374d557e087',
  name: 'Streak bonus',
  version: 1,
  rules: [
    rule({
      id: 'frozen',
      condition: compare(field('data.usedFreeze'), '==', literal(true)),
      body: [set('set_callback_data', 'streakFrozen', literal(true)), endPhase()],
    }),
    rule({
      id: 'streak',
      condition: logic('or', compare(field('data.streakDays'), '>=', literal(7)), field('data.weekend')),
      body: [
        set('set_callback_data', 'streakDays', field('data.streakDays')),
        assignPoints(
          arith(
            literal(10),
            '+',
            arith(literal(2), '*', call('clamp', field('data.streakDays'), literal(0), literal(30))),
          ),
          'STREAK',
        ),
      ],
    }),
  ],
  default: [assignPoints(literal(10), 'NO_STREAK')],
});

/** Correct answers per attempt. Fails with DSL_ARITH_DIV_BY_ZERO on a task that was opened but not tried. */
export const averagePerAttempt = fullStrategy({
  id: '20bfc321-529b-4fdf-b3fb-34ca354f1978',
  name: 'Average per attempt',
  version: 2,
  rules: [
    rule({
      id: 'average',
      condition: literal(true),
      body: [set('set_data', 'average', arith(field('data.correct'), '/', field('data.attempts')))],
    }),
    rule({
      id: 'reliable',
      condition: logic(
        'and',
        compare(field('data.average'), '>', literal(0.5)),
        compare(field('data.attempts'), '>=', literal(3)),
      ),
      body: [assignPoints(call('int', arith(literal(40), '*', field('data.average'))), 'RELIABLE')],
      else: [assignPoints(call('int', arith(literal(20), '*', field('data.average'))), 'LEARNING')],
    }),
  ],
});

/**
 * A bonus quest from level 10 on. Older clients send `level` as text: DSL_COMPARE_TYPE_MISMATCH;
 * some quests have no bonus in the catalogue: DSL_ASSIGN_POINTS_NOT_NUMBER.
 */
export const levelGate = fullStrategy({
  id: 'a0fc662b-277e-4fb5-9440-730b4684f011',
  name: 'Level gate',
  version: 7,
  rules: [
    rule({
      id: 'bonus-quest',
      condition: logic('and', compare(field('data.level'), '>=', literal(10)), not(field('data.usedFreeze'))),
      body: [assignPoints(field('data.bonus'), 'BONUS_QUEST')],
    }),
    rule({
      id: 'climbing',
      condition: compare(field('data.level'), '>=', literal(5)),
      body: [assignPoints(arith(field('data.level'), '*', literal(2)), 'CLIMBING')],
    }),
  ],
  default: [assignPoints(literal(4), 'STARTER')],
});
