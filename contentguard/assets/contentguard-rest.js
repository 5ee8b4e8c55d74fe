// Earns an article's rest by some work (admission/proof.py). On any trouble the link stays. Its own worker.
(() => {
  const sleep = (time) => new Promise((done) => setTimeout(done, time));
  const bytes = (text) => Uint8Array.from(text, (sign) => sign.charCodeAt());
  const fields = (ticket) => bytes(atob(ticket.slice(24, 36).replace(/-/g, '+').replace(/_/g, '/')));

  // SHA-256's first word; roots of primes are its constants.
  const hasher = (view) => {
    const primes = [];
    for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
    const roots = (power) => Int32Array.from(primes, (prime) => prime ** (1 / power) * 2 ** 32);
    const turn = (x, n) => x >>> n | x << 32 - n;
    const k = roots(3);
    const h = roots(2);
    const w = new Int32Array(64);
    const a = new Int32Array(68);
    const e = new Int32Array(68);
    for (let t = 0; t < 4; t++) {
      a[t] = h[3 - t];
      e[t] = h[7 - t];
    }
    return () => {
      for (let t = 0; t < 64; t++) {
        const x = w[t - 15];
        const y = w[t - 2];
        const f = e[t + 3];
        const b = a[t + 3];
        w[t] = t < 16 ? view.getInt32(4 * t)
          : (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10) + w[t - 16] + w[t - 7];
        const sum = (turn(f, 6) ^ turn(f, 11) ^ turn(f, 25)) + (f & e[t + 2] ^ ~f & e[t + 1]) + e[t] + k[t] + w[t];
        e[t + 4] = a[t] + sum;
        a[t + 4] = (turn(b, 2) ^ turn(b, 13) ^ turn(b, 22)) + (b & a[t + 2] ^ b & a[t + 1] ^ a[t + 2] & a[t + 1]) + sum;
      }
      return a[3] + a[67];
    };
  };

  const solve = async (ticket, tell) => {
    const [, , , , algorithm, puzzles, bits, high, low] = fields(ticket);
    // Seal, label, counters, padding.
    const block = bytes((ticket.slice(0, 24) + 'cg-proof'.repeat(2) + '\x80').padEnd(62, '\0') + '\x01@');
    const view = new DataView(block.buffer);
    const { subtle } = crypto;
    const asked = { name: 'PBKDF2', hash: 'SHA-256', salt: block.subarray(24, 40), iterations: high << 8 | low };
    const key = algorithm < 2 && await subtle.importKey('raw', block.subarray(0, 24), asked, false, ['deriveBits']);
    const hash = key || hasher(view);
    const answers = [];
    let next = 0;
    let done = 0;
    let until = self.document && 0; // workers never pause
    const lane = async () => {
      while (next < puzzles) {
        const puzzle = next++;
        for (let n = 0, found = 1; found; n++) {
          view.setInt32(32, puzzle);
          view.setInt32(36, answers[puzzle] = n);
          found = (key ? new DataView(await subtle.deriveBits(asked, key, 256)).getInt32() : hash()) >>> 32 - bits;
          if (!key && performance.now() > until) {
            await sleep();
            until = performance.now() + 9;
          }
        }
        tell(++done / puzzles);
      }
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    return answers.join('.');
  };

  if (!self.document) {
    onmessage = async ({ data }) => {
      postMessage(await solve(data, postMessage));
      close();
    };
    return;
  }

  // <img name=querySelector> hides the document's.
  const dom = (method, value) => Document.prototype[method].call(document, value);
  const once = Symbol.for('contentguard:rest');
  const link = dom('querySelector', '[data-cg-rest] .cg-continue');
  const [, routes, given] = /(.+)\/wait\/([\w-]+)/.exec(link) || [];
  if (!given || link[once] || link.origin !== location.origin) return;
  link[once] = true;

  const bar = dom('createElement', 'progress');
  const tell = (share) => { bar.value = share; };
  const prove = (ticket) => new Promise((done, fail) => {
    const worker = new Worker(dom('querySelector', 'script[src*=contentguard-rest]').src);
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(fail, 4000);
    };
    worker.onerror = fail;
    worker.onmessage = ({ data }) => (wait(), data.length ? done : tell)(data);
    worker.postMessage(ticket);
    wait();
  }).catch(() => solve(ticket, tell));

  const swap = (html) => {
    const places = dom('querySelectorAll', '[data-cg-rest]');
    const article = places[0].parentNode;
    const rest = new Range().createContextualFragment(html);
    const pieces = rest.querySelectorAll('[data-cg-rest]');
    const first = pieces[0].firstElementChild;
    const target = !scrollY && rest.getElementById(decodeURIComponent(location.hash.slice(1)));
    const focused = link.matches(':focus');
    if (pieces.length !== places.length) throw 0;
    places.forEach((place, at) => {
      place.hidden = false;
      const { bottom } = place.getBoundingClientRect();
      place.before(...pieces[at].childNodes);
      if (bottom < 0) scrollBy({ top: place.getBoundingClientRect().top - bottom, behavior: 'instant' });
      place.remove();
    });
    if (focused) {
      first.tabIndex += 0;
      first.focus({ preventScroll: true });
    }
    if (target) target.scrollIntoView();
    article.dispatchEvent(new CustomEvent('contentguard:rest', { bubbles: true }));
  };

  let busy = 0; // 2: and clicked
  const start = async (ticket) => {
    if (busy || !link.isConnected) return;
    busy = 1;
    const timer = setTimeout(() => {
      link.setAttribute('aria-busy', 'true');
      bar.setAttribute('aria-hidden', 'true');
      if (!matchMedia('(prefers-reduced-motion)').matches) link.after(' ', bar);
    }, 1000);
    let late = 0;
    let granted;
    const ask = async (...request) => {
      const answer = await fetch(...request);
      late = 1000 * answer.headers.get('retry-after');
      const text = await answer.text();
      granted = answer.ok;
      return text;
    };
    try {
      for (const pause of [0, 500, 2000]) {
        if (!(late <= 3e4)) break;
        await sleep(Math.max(pause, late));
        try {
          if (!ticket) {
            [, ticket] = /cg-continue[^>]+\/wait\/([\w-]+)/.exec(await ask(location.href, { cache: 'reload' }));
            granted = false;
            link.href = routes + '/wait/' + ticket;
          }
          if (![0, crypto.subtle, 1][fields(ticket)[4]]) break;
          const html = await ask(routes + '/rest', { method: 'POST', body: ticket + ' ' + await prove(ticket) });
          if (granted) return swap(html);
        } catch (error) {
          if (granted) throw error;
        }
        ticket = '';
      }
    } catch {
      const page = 'contentguard' + location.pathname;
      const now = Date.now();
      if (!(now - sessionStorage[page] < 6e4)) {
        sessionStorage[page] = now;
        return location.reload();
      }
    }
    clearTimeout(timer);
    bar.remove();
    link.removeAttribute('aria-busy');
    if (busy > 1) {
      busy = 0;
      link.click();
    }
    busy = 0;
  };
  link.addEventListener('click', (event) => {
    if (!busy || (busy > 1 && event.detail < 2) || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    busy = 2;
  });
  addEventListener('pageshow', (event) => event.persisted && start());
  const begin = () => start(given);
  if (document.prerendering === true) addEventListener('prerenderingchange', begin, true);
  else begin();
})();
