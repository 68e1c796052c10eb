const good = {
  game_id: 'game-1',
  event_type: 'probe_failed',
  occurred_at_ms: '1772600767089',
  container_id: '3f1c5a9e77d2',
};

export const events = {
  examples: [
    good,
    { game_id: 'game-1', event_type: 'container_started', occurred_at_ms: '1772600767089', details: '{}' },
  ],
  counterExamples: {
    'no object': [],
    'no game_id': { ...good, game_id: undefined },
    'a blank game_id': { ...good, game_id: '\u00a0 ' },
    'an unknown event_type': { ...good, event_type: 'container_paused' },
    'a time as a number': { ...good, occurred_at_ms: 1_772_600_767_089 },
    'a time in ISO 8601': { ...good, occurred_at_ms: '2026-03-04T05:06:07Z' },
    'a time of 0': { ...good, occurred_at_ms: '0' },
  },
};
