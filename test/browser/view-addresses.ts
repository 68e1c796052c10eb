/** The views by address, each with a text that is there only when its data is. */
export function views({ busiest, second }: { busiest: string; second: string }) {
  const strategy = `/?view=strategy&id=${encodeURIComponent(busiest)}`;
  return [
    { name: 'strategies', href: '/', shows: busiest },
    { name: 'strategy', href: strategy, shows: 'Newest failures' },
    {
      name: 'compare',
      href: `/?view=compare&a=${encodeURIComponent(busiest)}&b=${encodeURIComponent(second)}`,
      shows: 'Change from A to B',
    },
    { name: 'fleet', href: '/?view=fleet', shows: 'Games by status' },
    { name: 'dead-letters', href: '/?view=dead-letters', shows: 'schema durationMs: Invalid input' },
    { name: 'health', href: '/?view=health', shows: 'game-engine_unreachable-1' },
    { name: 'requests', href: '/?view=requests', shows: 'Cost over time' },
    {
      name: 'request-compare',
      href: '/?view=request-compare&a=gpt-5&b=claude-opus-4-5',
      shows: 'Change from A to B',
    },
    { name: 'accounts', href: '/?view=accounts', shows: 'ended-without-a-word' },
  ];
}
