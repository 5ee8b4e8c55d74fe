// The rest of an article, earned while its lead is read. Where anything fails, the link stands.
(async () => {
  const link = document.querySelector('[data-cg-rest] a.cg-continue');
  if (!link) return;
  const [routes, ticket] = link.getAttribute('href').split('/wait/');
  const raw = atob(ticket.slice(24, 36).replace(/-/g, '+').replace(/_/g, '/'));
  const [, , , , algorithm, puzzles, bits, high, low] = [...raw].map((sign) => sign.charCodeAt(0));
  if (algorithm !== 1 || !window.crypto.subtle) return;
  const encode = (text) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey('raw', encode(ticket.slice(0, 24)), 'PBKDF2', false, ['deriveBits']);
  const answers = [];
  for (let puzzle = 0; puzzle < puzzles; puzzle++) {
    for (let counter = 0; ; counter++) {
      const salt = new Uint8Array(16);
      salt.set(encode('cg-proof'));
      const view = new DataView(salt.buffer);
      view.setUint32(8, puzzle);
      view.setUint32(12, counter);
      const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: high * 256 + low };
      const found = new DataView(await crypto.subtle.deriveBits(how, key, 256));
      if (found.getUint32(0) >>> (32 - bits) === 0) {
        answers.push(counter);
        break;
      }
    }
  }
  const done = await fetch(routes + '/rest', { method: 'POST', body: ticket + ' ' + answers.join('.') });
  if (done.status === 204) location.reload();
  if (done.status !== 200) return;
  const rest = document.createRange().createContextualFragment(await done.text());
  const places = document.querySelectorAll('[data-cg-rest]');
  [...rest.querySelectorAll('[data-cg-rest]')].forEach((piece, at) => places[at].replaceWith(...piece.childNodes));
})();
