// Lessons: sliders that ask for the next picture when the last one is there, a pad to draw on, and progress kept here.
import { ROOT } from './root.js';
import { say } from './words.js';

const root = document.documentElement;
const KEY = 'learn';

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || '{}');
  } catch {
    return {};
  }
}

// Progress: {slug: {screens: [1, 2], tasks: ["way"]}, last: {lesson, screen}}, in this browser and nowhere else.
function note(form) {
  const all = kept();
  const { lesson, screen } = form.dataset;
  if (!lesson || screen === '-1') return;
  const mine = all[lesson] ?? { screens: [], tasks: [] };
  mine.screens = [...new Set([...mine.screens, Number(screen)])];
  const solved = [...form.querySelectorAll('[data-solved]')].map((task) => `${screen}:${task.dataset.task}`);
  mine.tasks = [...new Set([...mine.tasks, ...solved])];
  all[lesson] = mine;
  all.last = { lesson, screen: Number(screen) };
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch { /* not kept, then */ }
}

function showProgress() {
  const all = kept();
  for (const item of document.querySelectorAll('[data-progress]')) {
    const seen = all[item.dataset.progress]?.screens.length ?? 0;
    const total = Number(item.dataset.screens);
    const line = item.querySelector('.progress');
    if (seen) line.textContent = seen >= total ? say('seen-all') : say('seen', { seen, total });
    line.classList.toggle('all', seen >= total);
    item.querySelector('.seen .forward').setAttribute('width', (100 * Math.min(seen, total)) / total);
  }
  showLast(all.last);
  const form = document.getElementById('screen');
  const seen = new Set(all[form?.dataset.lesson]?.screens ?? []);
  for (const dot of document.querySelectorAll('[data-dot]')) dot.classList.toggle('done', seen.has(Number(dot.dataset.dot)));
}

// The first button of the list goes on where one stopped.
function showLast(last) {
  const start = document.getElementById('start');
  const name = last && document.querySelector(`[data-progress="${CSS.escape(last.lesson)}"] .name`);
  if (!start || !name) return;
  start.href = `${ROOT}/learn/${last.lesson}?screen=${last.screen}`;
  start.textContent = say('go-on', { lesson: name.textContent, screen: last.screen });
}

async function play() {
  if (document.querySelector('.grip[data-sets]')) await import('./grips.js');
  if (document.querySelector('[data-scene]:not([data-begun])')) (await import('./scenes.js')).dress();
}

// A program that is run line by line keeps the line in sight; the page does not move.
function follow() {
  const line = document.querySelector('.stepped .runs');
  if (!line) return;
  const box = line.closest('.stepped');
  const above = line.offsetTop - box.clientHeight / 3;
  if (line.offsetTop < box.scrollTop || line.offsetTop + line.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = above;
}

// Sliders: number fields without this script, ranges with it.
function dress(scope) {
  for (const input of scope.querySelectorAll('input[data-slider]')) if (input.type === 'number') input.type = 'range';
}

// One question at a time. What is moved or drawn meanwhile is kept, put back when the answer has come, and asked next.
let asked = false;
let again = false;

function ask(form) {
  if (asked) {
    again = true;
    return;
  }
  asked = true;
  form.requestSubmit(form.querySelector('.enter'));
}

function said(value, input) {
  if (input.dataset.texts) return input.dataset.texts.split(' ')[value];
  const digits = Number(input.step) >= 1 ? 0 : 2;
  const text = Math.abs(value).toFixed(digits);
  const sign = value < 0 && Number(text) ? '−' : Number(input.min) < 0 ? '+' : '';
  return sign + text;
}

document.addEventListener('input', (event) => {
  const input = event.target;
  if (!input.matches?.('#screen input[data-slider]')) return;
  const shown = document.getElementById(`shown-${input.name}`);
  if (input.dataset.texts) input.setAttribute('aria-valuetext', said(Number(input.value), input));
  if (shown) shown.textContent = said(Number(input.value), input);
  ask(input.form);
});

document.addEventListener('change', (event) => {
  if (event.target.matches?.('#screen .options input')) ask(event.target.form);
});

// A link that sets several things at once: the same as a press of a button.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('#screen a[data-go]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  htmx.ajax('GET', link.getAttribute('href').startsWith('?') ? location.pathname + link.getAttribute('href') : link.href, { target: '#screen', swap: 'outerMorph' });
});

let moved = {};

document.addEventListener('htmx:before:swap', () => {
  const form = document.getElementById('screen');
  moved = again && form ? Object.fromEntries([...form.querySelectorAll('[data-slider], [name="ink"]')].map((e) => [e.name, e.value])) : {};
});

function putBack(form) {
  for (const input of form.querySelectorAll('[data-slider]')) {
    if (!(input.name in moved)) continue;
    input.value = moved[input.name];
    document.getElementById(`shown-${input.name}`).textContent = said(Number(input.value), input);
  }
  const pad = form.querySelector('.pad');
  if (pad && 'ink' in moved) {
    form.querySelector('[name="ink"]').value = moved.ink;
    write(pad, inkOf(pad));
  }
}

for (const name of ['htmx:after:swap', 'htmx:error', 'htmx:response:error']) {
  document.addEventListener(name, () => {
    asked = false;
    const form = document.getElementById('screen');
    if (!form) return;
    dress(form);
    note(form);
    showProgress();
    play();
    follow();
    if (again) {
      again = false;
      putBack(form);
      ask(form);
    }
  });
}

// The pad: 16 × 16 pixels of ink from 0 to 15, drawn by pointer or by keys, sent as hexadecimal digits.
const SIDE = 16;

function inkOf(pad) {
  return [...pad.closest('form').querySelector('[name="ink"]').value.padEnd(SIDE * SIDE, '0')].map((digit) => parseInt(digit, 16) || 0);
}

function paint(pad, x, y, erase) {
  const ink = inkOf(pad);
  for (let dy = -1; dy <= 1; dy += 1) {
    for (let dx = -1; dx <= 1; dx += 1) {
      const [px, py] = [x + dx, y + dy];
      // the digits it learned have an empty border of one pixel
      if (px < 1 || py < 1 || px > SIDE - 2 || py > SIDE - 2) continue;
      const much = dx === 0 && dy === 0 ? 15 : dx === 0 || dy === 0 ? 7 : 2;
      const at = py * SIDE + px;
      ink[at] = erase ? (dx === 0 && dy === 0 ? 0 : ink[at]) : Math.max(ink[at], much);
    }
  }
  write(pad, ink);
}

function write(pad, ink) {
  pad.closest('form').querySelector('[name="ink"]').value = ink.map((value) => value.toString(16)).join('');
  pad.querySelectorAll('rect[data-pixel]').forEach((cell, at) => cell.setAttribute('fill-opacity', (ink[at] / 15).toFixed(2)));
}

function place(pad, event) {
  const box = pad.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top].map((value) => Math.floor((value / box.width) * SIDE));
}

document.addEventListener('pointerdown', (event) => {
  const pad = event.target.closest?.('.pad');
  if (!pad || event.button > 0) return;
  event.preventDefault();
  pad.focus({ preventScroll: true });
  pad.setPointerCapture(event.pointerId);
  pad.dataset.drawing = 'yes';
  paint(pad, ...place(pad, event), event.shiftKey);
});

document.addEventListener('pointermove', (event) => {
  const pad = event.target.closest?.('.pad');
  if (pad?.dataset.drawing) paint(pad, ...place(pad, event), event.shiftKey);
});

for (const name of ['pointerup', 'pointercancel']) {
  document.addEventListener(name, (event) => {
    const pad = event.target.closest?.('.pad');
    if (!pad?.dataset.drawing) return;
    delete pad.dataset.drawing;
    ask(pad.closest('form'));
  });
}

// For those who do not see the pen.
function tell(pad, x, y) {
  const place = { row: y + 1, column: x + 1 };
  document.getElementById('pen').textContent = inkOf(pad)[y * SIDE + x] > 0 ? say('ink', place) : say('paper', place);
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener('keydown', (event) => {
  const pad = event.target.closest?.('.pad');
  if (!pad) return;
  const cursor = pad.querySelector('.cursor');
  let [x, y] = ['x', 'y'].map((name) => Number(cursor.getAttribute(name)));
  if (MOVES[event.key]) {
    [x, y] = [x + MOVES[event.key][0], y + MOVES[event.key][1]].map((value) => Math.min(Math.max(value, 1), SIDE - 2));
    cursor.setAttribute('x', x);
    cursor.setAttribute('y', y);
    if (event.shiftKey) paint(pad, x, y, false);
    tell(pad, x, y);
  } else if (event.key === ' ' || event.key === 'Enter') {
    paint(pad, x, y, false);
    tell(pad, x, y);
    ask(pad.closest('form'));
  } else if (event.key === 'Backspace' || event.key === 'Delete') {
    paint(pad, x, y, true);
    tell(pad, x, y);
    ask(pad.closest('form'));
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener('keyup', (event) => {
  const pad = event.target.closest?.('.pad');
  if (pad && event.key === 'Shift') ask(pad.closest('form'));
});

document.addEventListener('click', (event) => {
  const wipe = event.target.closest?.('[data-wipe]');
  if (!wipe) return;
  event.preventDefault();
  const pad = wipe.form.querySelector('.pad');
  write(pad, Array(SIDE * SIDE).fill(0));
  ask(wipe.form);
});

root.classList.add('js');
const form = document.getElementById('screen');
if (form) {
  dress(form);
  note(form);
}
showProgress();
play();
follow();
root.dataset.ready = 'yes';
