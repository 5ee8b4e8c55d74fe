// Earns the rest of an article with a little work, and puts it in. Whatever fails, the link to it stays.
//
// Syntax of ES2017: what cannot read it leaves the link.
//
// The page has places, [data-cg-rest], the first of which holds the link, {routes}/wait/{ticket}. What work a ticket
// asks for, and how answers are written: contentguard/admission/tickets.py and proof.py. This file is its own worker.
(() => {
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const bytes = (text) => Uint8Array.from(text, (c) => c.charCodeAt());

  // SHA-256 (FIPS 180-4) of the 64 bytes in `view`, message and padding: the first 32 bits.
  // Only where there is no WebCrypto. The constants are the fractions of roots of primes.
  const hasher = (view) => {
    const primes = [];
    for (let n = 2; primes.length < 68; n++) if (primes.every((p) => n % p)) primes.push(n);
    const [a, e, w, k] = [2, 2, 2, 3].map((n) => Int32Array.from(primes, (p) => p ** (1 / n) * 2 ** 32));
    // The registers shift by one each round, so two arrays hold them: a[t + 3] is round t's a, a[t] its d.
    a.subarray(0, 4).reverse();
    e.subarray(0, 8).reverse();
    const turn = (x, i, j, n) => (x >>> i | x << 32 - i) ^ (x >>> j | x << 32 - j) ^ (x >>> n | x << 32 - n);
    return () => {
      for (let t = 0; t < 64; t++) {
        const x = w[t - 15];
        const y = w[t - 2];
        const b = a[t + 3];
        const c = a[t + 2];
        const f = e[t + 3];
        // Two of the schedule's turns are shifts: what came around is taken out again.
        w[t] = t < 16 ? view.getInt32(4 * t)
          : (turn(x, 7, 18, 3) ^ x << 29) + (turn(y, 17, 19, 10) ^ y << 22) + w[t - 16] + w[t - 7];
        a[t + 4] = e[t + 4] = turn(f, 6, 11, 25) + (f & e[t + 2] | ~f & e[t + 1]) + e[t] + k[t] + w[t];
        a[t + 4] += turn(b, 2, 13, 22) + (b & c | a[t + 1] & (b | c));
        e[t + 4] += a[t];
      }
      return a[3] + a[67];
    };
  };

  // The body of the request that redeems a ticket; empty where its work cannot be done here.
  // `tell` hears the share that is done.
  const solve = async (ticket, tell) => {
    const [, , , , kind, count, bits, high, low] =
      bytes(atob(ticket.slice(24, 36).replace(/-/g, '+').replace(/_/g, '/')));
    if (![0, crypto.subtle, 1][kind]) return '';
    // Seal, label, puzzle and counter; then what SHA-256 puts behind 320 bits.
    const block = bytes((ticket.slice(0, 24) + 'cg-proofcg-proof\x80').padEnd(62, '\0') + '\x01@');
    const view = new DataView(block.buffer);
    const name = { name: 'PBKDF2', hash: 'SHA-256', salt: block.subarray(24, 40), iterations: high << 8 | low };
    const key = kind < 2 && await crypto.subtle.importKey('raw', block.subarray(0, 24), name, false, ['deriveBits']);
    const hash = key || hasher(view);
    const answers = [];
    let next = 0;
    let done = 0;
    // Four at once, whatever a browser says of its cores: the derivations run in threads of its own.
    await Promise.all([0, 0, 0, 0].map(async () => {
      while (next < count) {
        const i = next++;
        for (let n = 0, found = 1; found; n++) {
          // Hashes hold the thread, which a page needs: so many take 0.3 ms, without a compiler 20 ms.
          if (!key && self.document && !(n & 255)) await sleep();
          view.setInt32(32, i);
          view.setInt32(36, answers[i] = n);
          found = (key ? new DataView(await crypto.subtle.deriveBits(name, key, 256)).getInt32() : hash())
            >>> 32 - bits;
        }
        tell(++done / count);
      }
    }));
    return ticket + ' ' + answers.join('.');
  };

  if (!self.document) {
    onmessage = async ({ data }) => {
      postMessage(await solve(data, postMessage));
      close();
    };
    return;
  }

  // <img name=createElement> hides a method of the document: ask the prototype.
  const dom = (name, x) => Document.prototype[name].call(document, x);
  const find = (html) => /cg-continue".+?href="([^"]+)\/wait\/([\w-]+)/.exec(html);
  const once = Symbol.for('contentguard:rest');
  const [link = {}] = dom('querySelectorAll', '[data-cg-rest] .cg-continue');
  // Of another origin: a translator shows the page.
  if (link.origin !== origin || link[once]) return;
  const [, routes, given] = find(link.outerHTML);
  // A site that adds one article below another changes the address as its reader goes on.
  const { href, pathname } = location;
  const bar = link[once] = dom('createElement', 'progress');
  const tell = (x) => { bar.value = x; };

  const prove = (ticket) => new Promise((done, fail) => {
    const worker = new Worker(dom('querySelectorAll', 'script[src*=contentguard-rest]')[0].src);
    // Some extensions give out workers that do nothing.
    const timer = setTimeout(fail, 5000);
    worker.onerror = fail;
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      (data.trim ? done : tell)(data);
    };
    worker.postMessage(ticket);
  }).catch(() => solve(ticket, tell));

  // Throws where the pieces do not fit the places, and where Trusted Types are enforced.
  const swap = (html) => {
    const places = dom('querySelectorAll', '[data-cg-rest]');
    let box;
    const rest = new Range().createContextualFragment(html);
    const pieces = rest.querySelectorAll('[data-cg-rest]');
    const nodes = link.matches(':focus') ? [...pieces[0].children] : [];
    const target = !scrollY && rest.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (pieces.length !== places.length) throw 0;
    places.forEach((place, i) => {
      box = place.parentNode;
      place.hidden = false;
      const above = place.getBoundingClientRect().bottom < 0;
      const before = box.getBoundingClientRect().bottom;
      place.replaceWith(...pieces[i].childNodes);
      // By nothing when the browser has anchored the scroll position by itself.
      if (above) scrollBy({ top: box.getBoundingClientRect().bottom - before, behavior: 'instant' });
    });
    // To the first that takes it: scripts and what is hidden do not.
    nodes.some((node) => {
      // Makes it focusable; leaves what is.
      node.tabIndex += 0;
      node.focus({ preventScroll: true });
      return node.matches(':focus');
    });
    if (target) target.scrollIntoView();
    // A browser looks for the text of #:~:text= while it loads a page, and not much longer.
    const [{ name } = {}] = performance.getEntriesByType('navigation');
    setTimeout(() => {
      if (!scrollY && name && name.startsWith(location.href + '#:~:')) location.replace(name);
    }, 1000);
    box.dispatchEvent(new CustomEvent('contentguard:rest', { bubbles: true }));
  };

  // With a ticket its answers are sent, without one the page is asked for another. Throws where the link has to do.
  const earn = async (ticket) => {
    let late;
    let ok;
    for (const pause of [0, 500, 1000, 2000, 4000]) {
      if (late > 3e4) break;
      try {
        await sleep(late || !ticket && pause);
        const body = ticket && await prove(ticket);
        if (body === '') break;
        ticket = 0;
        const answer = await (body
          ? fetch(routes + '/rest', { method: 'POST', body }) : fetch(href, { cache: 'reload' }));
        late = 1000 * answer.headers.get('retry-after');
        const html = await answer.text();
        ok = answer.ok;
        if (body && ok) return swap(html);
        [, , ticket] = find(html);
        ok = false;
      } catch (_) {
        // The page comes whole from now on, or what came cannot be put in.
        if (ok) break;
      }
    }
    const page = 'contentguard' + pathname;
    if (!ok || pathname !== location.pathname || Date.now() - sessionStorage[page] < 6e4) throw 0;
    sessionStorage[page] = Date.now();
    location.reload();
  };

  // 1: at work, and after success; 2: the link was clicked meanwhile.
  let busy = 0;
  const start = (ticket) => {
    if (busy) return;
    busy = 1;
    tell(0);
    setTimeout(() => {
      if (!busy) return;
      link.ariaBusy = bar.ariaHidden = true;
      link.after(' ', bar);
    }, 1000);
    earn(ticket).catch(() => {
      bar.remove();
      link.ariaBusy = null;
      if (busy > 1) location = link;
      busy = 0;
    });
  };
  link.onclick = (event) => {
    // A second click does not wait; a double click is one.
    if (!busy || (busy > 1 && event.detail < 2)) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    busy = 2;
  };
  addEventListener('pageshow', (event) => event.persisted && start());
  addEventListener('online', () => start());
  addEventListener('prerenderingchange', () => start(given), true);
  if (document.prerendering !== true) start(given);
})();
