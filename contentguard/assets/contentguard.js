// Copying and sharing. Sends nothing; on any error the browser's own way stands.
(() => {
  'use strict';
  const once = Symbol.for('contentguard');
  if (window[once]) return;
  window[once] = true;

  // <img name=body> hides document.body: ask the prototypes.
  const call = Function.prototype.call;
  const method = (kind, name) => call.bind(kind.prototype[name]);
  const getter = (name) => call.bind(Object.getOwnPropertyDescriptor(Document.prototype, name).get, document);
  const findAll = method(Document, 'querySelectorAll').bind(null, document);
  const walk = method(Document, 'createTreeWalker').bind(null, document);
  const create = method(Document, 'createElement').bind(null, document);
  const closest = method(Element, 'closest');
  const active = getter('activeElement');
  const find = (selector) => findAll(selector)[0];
  const attempt = (action, otherwise) => {
    try {
      return action();
    } catch {
      return otherwise;
    }
  };

  const texts = {
    refused: 'error: Unauthorized Content Copy Is Not Allowed',
    hint: 'You may quote up to {words} words, or share a link to this page.',
    hint_strict: 'Please share a link to this page instead.',
    source: 'Source: {title}',
    rights: 'All rights reserved. Please share the link.',
    link_copied: 'Link copied',
  };
  const config = {
    policy: 'attribute', free: 8, quote: 50, context: false, drag: false,
    allow: '', article: 'article', title: '', url: '', link: '', messages: {},
  };
  const merge = (base, over) => {
    for (const [key, value] of Object.entries(over || {})) {
      if (typeof base[key] === typeof value) base[key] = value;
    }
  };
  merge(config, attempt(() => JSON.parse(find('script[data-cg]').getAttribute('data-cg'))));
  merge(texts, config.messages);

  const valid = (selector) => attempt(() => findAll(selector) && selector, '');
  const allow = valid(config.allow);
  const strict = config.policy === 'strict';
  const ours = '.cg-share,.cg-mark';
  const silent = 'script,style,noscript,[data-cg-strip],' + ours;
  const fields = 'input,textarea,select,button,[contenteditable]:not([contenteditable=false])';
  const exempt = fields + ',pre,code,kbd,samp,a[href],summary,audio,video,[data-cg-allow]' + (allow && ',' + allow);
  const block = 'p,li,dt,dd,td,th,h1,h2,h3,h4,h5,h6,pre,div,article';

  const inside = (node, selector) => {
    const start = node instanceof Text ? node.parentElement : node;
    return start instanceof Element && closest(start, selector);
  };
  const theArticle = () => {
    const mark = find(ours);
    return mark && (closest(mark, valid(config.article) || 'article') || mark.parentElement);
  };
  const address = (url) => new URL(url || config.url, location).href;

  // Marks do not count; two signs of a script without spaces make a word.
  const clean = (text) => text.replace(/\p{DI}/gu, '').replace(/\s+/g, ' ').trim();
  const count = (text) =>
    (clean(text).match(/[\u2e80-\u9fff]{1,2}|[^\s\u2e80-\u9fff]+/g) || []).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

  // Words not exempt; blocks in whole words.
  const selected = () => {
    const article = theArticle();
    const selection = getSelection();
    const ranges = [];
    const blocks = [];
    let guarded = '';
    let last;
    for (let i = 0; article && i < selection.rangeCount; i++) {
      const range = selection.getRangeAt(i);
      // 4: text.
      const nodes = walk(article, 4);
      ranges.push(range);
      while (nodes.nextNode()) {
        const node = nodes.currentNode;
        const text = node.data;
        let from = node === range.startContainer ? range.startOffset : 0;
        let to = node === range.endContainer ? range.endOffset : text.length;
        if (from >= to || !range.intersectsNode(node) || inside(node, silent)) continue;
        const home = inside(node, block);
        if (home !== last) {
          blocks.push('');
          guarded += ' ';
          last = home;
        }
        if (!inside(node, exempt)) guarded += text.slice(from, to);
        while (from && /\S/.test(text[from - 1])) from--;
        while (/\S/.test(text[to] || ' ')) to++;
        blocks[blocks.length - 1] += text.slice(from, to);
      }
    }
    const words = count(guarded);
    return { ranges, words, free: !words || !strict && words <= config.free, blocks: blocks.map(clean).filter(Boolean) };
  };

  const passage = (blocks) =>
    '#:~:text=' + [blocks[0].split(' ').slice(0, 4), blocks.pop().split(' ').slice(-4)]
      .map((part) => encodeURIComponent(part.join(' ')).replace(/-/g, '%2D')).join();

  // A clone in this document would fetch its pictures.
  const inert = getter('implementation')().createHTMLDocument('');
  const lifeless = (range) => {
    const root = range.commonAncestorContainer;
    const there = walk(inert.importNode(root, true));
    const copy = inert.createRange();
    const here = walk(root);
    let node = root;
    while (node) {
      if (node === range.startContainer) copy.setStart(there.currentNode, range.startOffset);
      if (node === range.endContainer) copy.setEnd(there.currentNode, range.endOffset);
      node = here.nextNode();
      there.nextNode();
    }
    return copy.cloneContents();
  };
  const markup = (ranges, link, source, rights) => {
    const box = inert.createElement('div');
    const anchor = inert.createElement('a');
    const note = inert.createElement('p');
    box.append(...ranges.map(lifeless));
    for (const node of box.querySelectorAll(silent)) node.remove();
    for (const name of ['href', 'src']) {
      for (const node of box.querySelectorAll(`[${name}]`)) {
        const value = node.getAttribute(name);
        node.setAttribute(name, attempt(() => new URL(value, location).href, value));
      }
    }
    anchor.href = link;
    anchor.append(source);
    note.append(anchor, ' ', rights);
    box.append(note);
    return box.innerHTML;
  };

  // The region must be there first.
  let region;
  let timer;
  const announce = (...lines) => {
    if (!region || !region.isConnected) {
      region = create('div');
      for (const pair of ['class cg-toast', 'role status', 'aria-live polite', 'aria-atomic true', 'data-nosnippet ']) {
        region.setAttribute(...pair.split(' '));
      }
      find('body').append(region);
    }
    const clear = () => { region.textContent = ''; };
    clear();
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const line of lines) region.appendChild(create('p')).textContent = line;
      timer = setTimeout(clear, Math.max(5000, 80 * lines.join('').length));
    }, 100);
  };
  const refuse = (event) => {
    event.preventDefault();
    announce(texts.refused, strict ? texts.hint_strict : texts.hint.replace('{words}', config.quote));
  };

  const copied = (event) => {
    if (inside(event.target, fields) || inside(active(), fields)) return;
    const { ranges, words, free, blocks } = selected();
    if (free) return;
    const beyond = words > config.quote;
    if (strict || (beyond && config.policy === 'quote')) return refuse(event);
    const link = address(config.link) + attempt(() => passage(blocks), '');
    const source = texts.source.replace('{title}', () => config.title || location.host);
    const rights = beyond ? texts.rights : '';
    const html = markup(ranges, link, source, rights);
    event.clipboardData.setData('text/plain', [getSelection() + '\n', source, link, rights].join('\n').trimEnd());
    event.clipboardData.setData('text/html', html);
    event.preventDefault();
  };
  const picture = ({ target }) =>
    inside(target, 'img,svg,canvas') && !inside(target, exempt + ',' + ours) && (theArticle() || target).contains(target);
  const keep = (event) => {
    event.preventDefault();
    announce(texts.hint_strict);
  };
  const menu = (event) => {
    const plain = event.pointerType !== 'touch' && event.button === 2 && !event.shiftKey && !String(getSelection());
    if (plain && picture(event)) keep(event);
  };
  const dragged = (event) => {
    if (picture(event)) keep(event);
    else if (config.policy !== 'off' && !inside(event.target, exempt) && !selected().free) refuse(event);
  };

  const listen = (type, handler) =>
    addEventListener(type, (event) => event.defaultPrevented || attempt(() => handler(event)));
  if (config.policy !== 'off') {
    listen('copy', copied);
    listen('cut', copied);
  }
  if (config.context) listen('contextmenu', menu);
  if (config.drag) listen('dragstart', dragged);
  // What arrives later comes with this event.
  const dress = () => {
    theArticle()?.classList.add('cg-strict');
    if (allow) for (const node of findAll(allow)) node.classList.add('cg-allow');
  };
  if (strict) {
    dress();
    listen('contentguard:rest', dress);
  }

  const actions = {
    __proto__: null,
    print: () => print(),
    native: navigator.share && (() => navigator.share({ title: config.title, url: address() }).catch(() => {})),
    copy: navigator.clipboard && (() => navigator.clipboard.writeText(address())
      .then(() => announce(texts.link_copied), () => announce(address()))),
  };
  for (const button of findAll('.cg-share [data-cg-share]')) {
    const action = actions[button.getAttribute('data-cg-share')];
    if (!action) continue;
    button.hidden = closest(button, 'li').hidden = closest(button, '.cg-share').hidden = false;
    button.onclick = action;
  }
})();
