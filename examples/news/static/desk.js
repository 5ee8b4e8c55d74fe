// WordPress's letters for the queues: j and k move, x chooses, a u s d press a comment's own buttons. Without this
// script the buttons are there all the same.
(() => {
  'use strict';
  const all = [...document.querySelectorAll('.filed-one')];
  const buttons = { a: 'approve', u: 'hold', s: 'spam', d: 'trash' };
  let here = -1;
  const go = (to) => {
    if (to < 0 || to >= all.length) return;
    here = to;
    const box = all[here].querySelector('input[type=checkbox]');
    box.focus();
    all[here].scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = event.target;
    if (at.closest('textarea, select, input:not([type=checkbox])')) return;
    const key = event.key.toLowerCase();
    if (key === 'j') go(here + 1);
    else if (key === 'k') go(here - 1);
    else if (here < 0) return;
    else if (key === 'x') { const box = all[here].querySelector('input[type=checkbox]'); box.checked = !box.checked; }
    else if (buttons[key]) all[here].querySelector(`[data-action=${buttons[key]}]`)?.click();
    else return;
    event.preventDefault();
  });
  document.addEventListener('focusin', (event) => {
    const one = event.target.closest('.filed-one');
    if (one) here = all.indexOf(one);
  });
})();
