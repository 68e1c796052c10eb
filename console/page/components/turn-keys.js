/**
 * The keys j and k go to the next and to the previous turn of a conversation that is open. In a field, they are letters.
 *
 * @param {HTMLElement} host what the turns are in
 */
export function goByKeys(host) {
  host.addEventListener('keydown', (event) => {
    const step = { j: 1, k: -1 }[event.key];
    const { target } = event;
    const isField = target instanceof Element && target.closest('input, select, textarea') !== null;
    if (step === undefined || isField || event.ctrlKey || event.metaKey || event.altKey) return;
    const turns = [...host.querySelectorAll('.turn')];
    const current = turns.findIndex((turn) => turn.contains(document.activeElement));
    const next = turns[current < 0 ? (step > 0 ? 0 : turns.length - 1) : current + step];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  });
}
