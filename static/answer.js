// A student's answer on its way: kept in this tab until the server has it, said to be not sent yet, and sent again by itself.
// It may come twice, for it is put in its place and not added.
import { ROOT } from './root.js';
import { say } from './words.js';

const SOON = 1000;
const LATE = 6000;
const GIVE_UP = 8000; // of one attempt: the next may find another way

export function sending(room, changed, arrived) {
  const place = document.getElementById('unsent');
  const key = `unsent ${room}`;
  let kept = restore(); // {number, answer, label}
  let busy = false;
  let pause = SOON;
  let timer = 0;

  function restore() {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function keep(answer) {
    kept = answer;
    try {
      if (kept) sessionStorage.setItem(key, JSON.stringify(kept));
      else sessionStorage.removeItem(key);
    } catch { /* then it is kept as long as this page */ }
    changed();
  }

  async function put({ number, answer }) {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), GIVE_UP);
    try {
      return await fetch(`${ROOT}/api/v1/rooms/${room}/questions/${number}/answer`, {
        method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ answer }), signal: stop.signal,
      });
    } finally {
      clearTimeout(late);
    }
  }

  // One at a time, so that the last one tapped is the last to arrive.
  async function send() {
    clearTimeout(timer);
    if (busy || !kept) return;
    busy = true;
    const one = kept;
    const slow = setTimeout(() => unsent(one), SOON);
    try {
      const answer = await put(one);
      const told = await answer.json().catch(() => ({}));
      if (answer.status === 429 || answer.status >= 500) throw new Error(told.detail);
      if (answer.ok) arrived(one.number, told.answer);
      if (kept === one) {
        place.textContent = answer.ok ? '' : refusal(one, answer.status, told);
        keep(null);
      }
      pause = SOON;
    } catch {
      unsent(kept);
      timer = setTimeout(send, pause * (1 + Math.random() / 2));
      pause = Math.min(LATE, 1.5 * pause);
    }
    clearTimeout(slow);
    busy = false;
    if (kept !== one) send();
  }

  function unsent({ number, label }) {
    place.textContent = say('unsent', { number, label });
  }

  function refusal({ number, label }, status, told) {
    const field = told.errors?.[0];
    if (field?.allowed) return say('must-be', { allowed: field.allowed.replace(/^must be /, '') });
    if (status === 409) return say('late', { number, label });
    return say('refused', { number, label, reason: told.detail ?? status });
  }

  document.addEventListener('submit', (event) => {
    if (!event.target.matches('form.answer')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const sent = new FormData(event.target); // by its fields' names alone: an id of the page may be called the same
    const picked = event.submitter?.matches('.pick') ? event.submitter : null;
    const given = picked ? picked.value : sent.get('answer');
    place.textContent = '';
    pause = SOON;
    keep({ number: Number(sent.get('number')), answer: given, label: picked ? picked.textContent : given });
    send();
  }, true);
  addEventListener('online', send);
  setTimeout(send);

  return {
    waiting: (number) => (kept && kept.number === Number(number) ? kept.answer : undefined),
    again: () => { if (kept && !busy) send(); }, // the server speaks: it may listen, too
  };
}
