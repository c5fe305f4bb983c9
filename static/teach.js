// The teacher's page: the playground or a lesson, whose every view is shown to the class, and the strip.
/* global htmx */
import { isPlaying, pause } from './play.js';
import { follow } from './stream.js';
import './strip.js';
import { fields, form, run, step, ROOT } from './view.js';
import { say } from './words.js';

const strip = document.getElementById('strip');
const panel = document.getElementById('panel');
const { room } = strip.dataset;
const LEARN = `${ROOT}/learn/`;
const GRAPH = `${ROOT}/graph`;
const within = (address) => address.slice(ROOT.length);
const PAUSE = 70; // more states a second than this are not shown to anybody
const VIEW = ['lens', 'example', 'select', 'moment', 'grain', 'place', 'scale', 'discrete', 'tests', 'across', 'up'];
const here = `${ROOT}/class/${room}/teach`;
let shared = JSON.parse(strip.dataset.shared);
let version = Number(strip.dataset.version);
let sent = JSON.stringify(current());
let busy = false;
let sharing = Promise.resolve();
let deed = Promise.resolve(); // what is being done here; its answer tells the same as the stream, and the screen with it

// What is on this page now, as the room takes it.
function current() {
  if (!form()) return { lesson: page() };
  const looked = fields();
  const query = new URLSearchParams(VIEW.filter((name) => looked[name]).map((name) => [name, looked[name]]));
  return { run: run(), step: step(), view: query.toString() };
}

// A lesson's screen, or a graph.
function page() {
  return isPage(location) ? within(location.pathname) + location.search : shared.lesson;
}

function isPage({ pathname }) {
  return pathname.startsWith(LEARN) || pathname === GRAPH;
}

// While one view is on its way, only the newest of those that follow goes after it.
function share() {
  if (!busy) sharing = send();
  return sharing;
}

async function send() {
  busy = true;
  try {
    for (let now = current(); JSON.stringify(now) !== sent; now = current()) {
      sent = JSON.stringify(now);
      const answer = await fetch(`${ROOT}/api/v1/rooms/${room}/shared`, {
        method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: sent,
      });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.detail);
      version = Math.max(version, told.version);
      shared = told.shared;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    complain('');
  } catch (error) {
    complain(say('unseen', { reason: error.message }));
  }
  busy = false;
}

function complain(text) {
  document.getElementById('class-error').textContent = text;
}

const key = (what) => JSON.stringify([what.run, what.step, what.view, what.lesson]);

// Another device of the teacher's, a script, or the reveal has moved the class on: this page follows.
async function catchUp(state, number) {
  await deed;
  if (busy || number <= version) return;
  version = number;
  if (key(state.shared) === key(shared)) return;
  const before = shared;
  shared = state.shared;
  if (shared.run !== before.run || shared.lesson !== before.lesson || !form()) {
    location.reload();
    return;
  }
  const values = { ...Object.fromEntries(new URLSearchParams(shared.view)), step: shared.step, size: fields().size };
  busy = true;
  await htmx.ajax('GET', `${ROOT}/runs/${shared.run}/frame`, { source: '#frame', target: '#frame', swap: 'innerMorph', values });
  sent = JSON.stringify(current());
  busy = false;
}

// What glows here is what is asked about, as on every other screen.
function mark() {
  const { status, kind } = document.getElementById('question')?.dataset ?? {};
  document.body.classList.toggle('asking', Boolean(status));
  document.body.classList.toggle('unrevealed', Boolean(status) && status !== 'revealed' && kind !== 'own');
}

async function drawState(state, number) {
  const open = [...panel.querySelectorAll('details[open]')].map((each) => each.id);
  await htmx.swap({ text: state.panel, target: panel, sourceElement: panel, swap: 'innerMorph' });
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  mark();
  listStudents();
  await catchUp(state, number);
}

// What is done to the run is done through the room, which shows it to the class by itself.
document.addEventListener('htmx:config:request', ({ detail: { ctx: { request } } }) => {
  if (request.method === 'POST' && request.action.startsWith(`${ROOT}/runs/`)) request.action = `${ROOT}/class/${room}${within(request.action)}`;
});

document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  if (ctx.request.method === 'POST') deed = new Promise((done) => { ctx.told = done; });
});
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => ctx.told?.());

function shownAlready(response) {
  const told = JSON.parse(response?.headers?.get('Class-Shares') ?? 'null');
  if (!told) return;
  version = Math.max(version, told.version);
  shared = told.shared;
  sent = JSON.stringify(current());
}

document.addEventListener('htmx:after:swap', (event) => {
  mark();
  shownAlready(event.detail.ctx?.response);
  if (location.pathname !== here) {
    if (isPage(location)) share();
    history.replaceState(null, '', here);
  }
  if (form()) share();
});

// A question is about the step on screen: what plays is stopped first, and its last step shown to everybody.
document.addEventListener('submit', async (event) => {
  if (!isPlaying() || !event.target.matches('[data-asks]')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  await pause();
  await share();
  event.target.requestSubmit(event.submitter);
}, true);

// The refusal of a button is a sentence, not a panel.
document.addEventListener('htmx:before:swap', (event) => {
  const { response, text } = event.detail.ctx;
  if (response?.status === 422 && event.detail.ctx.sourceElement?.closest?.('#strip')) {
    event.preventDefault();
    complain(text.trim());
  }
});

// The list of students is made when it is opened, and again when somebody joins while it is open.
const students = document.getElementById('students');
let joined = '';

function listStudents() {
  const now = document.querySelector('#counts .muted').textContent;
  if (!students.open || now === joined) return;
  joined = now;
  htmx.ajax('GET', `${ROOT}/class/${room}/students`, { source: students, target: '#student-list', swap: 'innerMorph' });
}

students.addEventListener('toggle', () => {
  joined = '';
  listStudents();
});

document.addEventListener('submit', () => complain(''));

document.addEventListener('click', async (event) => {
  const link = event.target.closest(`a[href^="${LEARN}"], a[href^="${GRAPH}?"]`);
  if (link && !form() && !event.defaultPrevented) {
    event.preventDefault();
    await fetch(`${ROOT}/api/v1/rooms/${room}/shared`, {
      method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ lesson: within(link.getAttribute('href')) }),
    });
    location.reload();
  }
});

mark();
follow(strip, { state: drawState });
document.documentElement.dataset.teaching = 'true';
