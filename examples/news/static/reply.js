// Takes the form to the comment that is answered, without a new page. Without this script "Reply" is a link that does
// the same on the server.
(() => {
  'use strict';
  const respond = document.getElementById('respond');
  const title = document.getElementById('reply-title');
  if (!respond || !title) return;
  const parent = respond.querySelector('[name=comment_parent]');
  const home = document.createComment('respond');
  respond.before(home);
  const plain = parent.value === '0' ? title.textContent : 'Leave a Reply';
  const show = (id, text, cancel) => {
    parent.value = id;
    title.textContent = text;
    if (!cancel) return;
    const link = document.createElement('a');
    link.href = '#respond';
    link.id = 'cancel-comment-reply-link';
    link.textContent = 'Cancel reply';
    link.addEventListener('click', (event) => {
      event.preventDefault();
      const answered = document.getElementById(`comment-${parent.value}`);
      home.after(respond);
      show('0', plain, false);
      answered?.querySelector('.comment-reply a')?.focus();
    });
    const small = document.createElement('small');
    small.append(link);
    title.append(' ', small);
  };
  document.querySelector('.comment-list')?.addEventListener('click', (event) => {
    const link = event.target.closest('.comment-reply a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const comment = link.closest('.comment');
    const author = comment.querySelector(':scope > .comment-body .comment-author').textContent;
    comment.querySelector(':scope > .comment-body').after(respond);
    show(comment.id.replace('comment-', ''), `Leave a Reply to ${author}`, true);
    respond.querySelector('textarea').focus();
  });
})();
