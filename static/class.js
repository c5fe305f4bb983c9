// A student's page or the wall: draws what the teacher shows, and keeps the student's own answer marked.
/* global htmx */
import { sending } from './answer.js';
import { follow } from './stream.js';
import { fields, run, ROOT } from './view.js';
import { say } from './words.js';

const root = document.querySelector('[data-room]');
const panel = document.getElementById('panel');
const picture = document.getElementById('picture');
const exploring = root.dataset.mine === 'true';
const answers = {};
const sent = sending(root.dataset.room, dress, (number, answer) => { answers[number] = answer; });

const swap = (target, text, how = 'innerMorph') => htmx.swap({ text, target, sourceElement: target, swap: how });
const shape = (scope) => scope.querySelector('#stage')?.dataset.shape;

async function drawState(state) {
  sent.again();
  if (state.removed || (exploring && state.pace !== 'explore')) {
    location.replace(`${ROOT}/class/${root.dataset.room}`);
    return;
  }
  await swap(panel, state.panel);
  dress();
  fitQuestion();
}

// Another network, or a lesson: put in anew. The same: morphed, so that numbers and lines move.
async function drawFrame(markup) {
  const fresh = new DOMParser().parseFromString(markup, 'text/html');
  await swap(picture, markup, shape(fresh) === shape(picture) ? 'innerMorph' : 'innerHTML');
  fit();
}

// A wall cannot be scrolled: a lesson's text is made smaller, though not smaller than can be read from the last row, and
// its drawing as large as there is room. What does not fit even so is on the students' own screens, and the wall says so.
function fit() {
  if (root.dataset.screen !== 'wall') return;
  picture.classList.remove('cut');
  const stage = picture.querySelector('#stage[data-lesson]');
  if (!stage) return;
  const bottom = (part) => part.getBoundingClientRect().bottom;
  const first = (name, values, fits) => values.some((value) => {
    picture.style.setProperty(name, value); // on what is not morphed: a morph would set the style as an attribute
    return fits();
  });
  picture.style.setProperty('--plot', 20);
  const whole = first('--zoom', [1, 0.93, 0.86, 0.8], () => bottom(stage) <= bottom(picture));
  picture.classList.toggle('cut', !whole);
  const live = whole ? stage : stage.querySelector('.live');
  const edge = bottom(picture) - (whole ? 0 : parseFloat(getComputedStyle(picture, '::after').height));
  if (live) first('--plot', [31, 28, 25, 22, 20], () => bottom(live) <= edge);
}

// Nor can a long question with its answers: all of it, smaller, rather than its beginning.
function fitQuestion() {
  const question = document.getElementById('question');
  if (root.dataset.screen !== 'wall' || question.hidden) return;
  let zoom = 1.06;
  do {
    zoom -= 0.06;
    panel.style.setProperty('--ask', zoom);
  } while (question.scrollHeight > question.clientHeight && zoom > 0.6);
}

// The stream is the same for all: one's own answer and copy are put in here.
function dress() {
  if (root.dataset.copy) {
    document.getElementById('own-step').textContent = root.dataset.copy;
    document.getElementById('go-on').hidden = false;
    const fresh = document.querySelector('#copy button');
    fresh.textContent = say('copy-fresh');
    fresh.classList.remove('primary');
  }
  const question = document.getElementById('question');
  const { number, status, mine: told } = question.dataset;
  document.body.classList.toggle('asking', Boolean(number));
  document.body.classList.toggle('shows-copy', Boolean(panel.querySelector('.handed')));
  document.body.classList.toggle('paused', Boolean(document.querySelector('.pause')));
  if (!number) return;
  if (told) answers[number] = told;
  const unsent = sent.waiting(number);
  const mine = unsent ?? answers[number];
  if (!mine) return;
  for (const choice of question.querySelectorAll('.pick')) {
    choice.setAttribute('aria-pressed', String(choice.value === mine));
    choice.classList.toggle('unsent', choice.value === unsent);
  }
  for (const bar of question.querySelectorAll('.vote')) bar.classList.toggle('mine', bar.dataset.answer === mine);
  const label = question.querySelector(`.pick[value="${CSS.escape(mine)}"], .vote[data-answer="${CSS.escape(mine)}"] .label`);
  document.getElementById('your-answer').textContent = label?.textContent ?? mine;
  document.getElementById('yours').hidden = false;
  const missing = document.getElementById('not-answered');
  if (missing) missing.hidden = true;
  const typed = document.getElementById('own-number');
  if (typed && !typed.value && status === 'open') typed.value = mine;
}

function size() {
  const width = picture.clientWidth;
  return root.dataset.screen === 'wall' ? 'm' : width < 450 ? 's' : width < 800 ? 'm' : 'l';
}

if (picture && root.dataset.screen !== 'wall') root.dataset.size = size();
const stream = follow(root, { state: drawState, frame: picture ? drawFrame : null });
let waiting = 0;
addEventListener('resize', () => {
  fit();
  fitQuestion();
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (!picture || size() === root.dataset.size) return;
    root.dataset.size = size();
    stream.reopen();
  }, 300);
});

document.addEventListener('htmx:after:swap', dress);

// What is handed in is what the student looks at.
const form = document.getElementById('hand-in');
form?.addEventListener('submit', () => {
  form.elements.run.value = run();
  form.elements.view.value = new URLSearchParams(fields()).toString();
}, true);
if (exploring) {
  document.addEventListener('htmx:after:swap', () => {
    if (location.pathname === `${ROOT}/`) history.replaceState(null, '', `${ROOT}/class/${root.dataset.room}/mine`);
  });
}
dress();
fit();
fitQuestion();
document.documentElement.dataset.ready = 'true';
