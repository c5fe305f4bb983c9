// Play: one answer brings several frames, which are shown evenly while the next are on their way. Nothing is trained while
// nobody looks; Pause stops at what is seen, and what the server has done beyond that is gone back from.
import { advance, announce, backTo, fields, number, playOn, state, step, toHead, ASIDE } from './view.js';
import { between, settle, show } from './stills.js';
import { pulseStep } from './diagram.js';
import { Pace } from './pace.js';
import { say } from './words.js';

let playing = false;
let loop = Promise.resolve();
let queue = []; // frames to come, each with the time at which it is due
let seen = null; // the one on screen, while no whole frame has come since
let end = 0; // when the queue runs dry
let head = 0; // as far as the server has come
let alone = true; // whether nobody else has carried the run on meanwhile
let wake = () => {};

const button = () => document.getElementById('play');
const speed = () => document.getElementById('speed');
export const isPlaying = () => playing;

function draw() {
  button().setAttribute('aria-pressed', String(playing));
  button().querySelector('.glyph').textContent = playing ? '❚❚' : '▶';
  button().querySelector('.word').textContent = playing ? say('pause') : say('play');
  document.body.classList.toggle('playing', playing);
}

const looked = () => JSON.stringify(Object.entries(fields()).filter(([name]) => !ASIDE.includes(name)));

const onTheWay = () => seen && queue.length && queue[0].due - seen.due > 30;

// What is due goes to the screen, at most a frame at a time; what came too late for its own is passed over.
function paint(now) {
  let due = null;
  while (queue.length && queue[0].due <= now) due = { ...due, ...queue.shift() };
  if (due) {
    seen = due;
    settle();
    show(due, head);
    if (due.stop) pause();
  }
  if (onTheWay()) between(seen, queue[0], Math.max(0, (now - seen.due) / (queue[0].due - seen.due)));
}

function watch(pace) {
  let last = performance.now();
  const look = (now) => {
    if (!playing) return;
    pace.painted(now - last);
    last = now;
    paint(now);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

function forget() {
  queue = [];
  seen = null;
  end = performance.now();
  settle();
}

function enqueue(told, gaps) {
  end = Math.max(end, performance.now());
  const coming = told.frames.filter((frame) => frame.step > (queue.at(-1)?.step ?? step()));
  coming.forEach((frame, i) => {
    queue.push({ ...frame, due: end });
    end += gaps[i] ?? gaps.at(-1);
  });
  if (coming.length) Object.assign(queue.at(-1), { chart: told.chart, health: told.health, rest: told.rest });
  head = told.head;
}

const rest = (ms) => new Promise((done) => {
  wake = done;
  setTimeout(done, ms);
});

async function go() {
  await advance(1, { moment: '' }); // a whole frame first: it leaves the past and the walkthrough
  const begun = performance.now(); // so that the first steps are seen however long that took
  const pace = new Pace(Number(state().epoch));
  forget();
  head = step();
  alone = true;
  watch(pace);
  while (playing) {
    if (document.hidden) {
      await new Promise((done) => { document.addEventListener('visibilitychange', done, { once: true }); });
      continue;
    }
    const { counts, gaps } = pace.next(Math.max(end, performance.now()) - begun, Number(speed()?.value));
    const [view, asked] = [looked(), performance.now()];
    const told = await playOn(counts, queue.at(-1)?.step ?? step());
    if (!told) break; // why is said where it was refused
    pace.waited(performance.now() - asked, told.frames.length === counts.length);
    alone &&= (told.frames[0]?.step ?? head) <= head + counts[0];
    if (view !== looked()) head = Math.max(head, told.head);
    else if (playing) enqueue(told, gaps);
    else head = told.head;
    if (playing) await rest(end - performance.now() - pace.ahead);
  }
  if (onTheWay()) show(queue[0], head); // its numbers have begun to show: they do not go back
  forget();
  await (alone && head > step() ? backTo(step(), head) : toHead());
  announce(say('paused', { step: number('step'), loss: number('train-loss') }));
}

export function play() {
  if (playing) return loop;
  if (state().diverged === 'true') return loop;
  playing = true;
  draw();
  pulseStep();
  return inTurn(go);
}

// After what is under way: a Play that is pressed meanwhile waits for it.
export function inTurn(act) {
  loop = loop.then(act);
  return loop;
}

export function pause() {
  if (playing) {
    playing = false;
    draw();
    wake();
  }
  return loop;
}

export const toggle = () => (playing ? pause() : play());

// Another view, or a change between two frames: what is there of the old one is not shown any more.
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if (playing && !ctx?.plays && ctx?.target?.id === 'frame') forget();
});
document.addEventListener('stopped', pause);
document.addEventListener('htmx:response:error', pause);
document.addEventListener('htmx:error', pause);
document.addEventListener('click', (event) => {
  if (event.target.closest('#play')) toggle();
});

// The speed is each visitor's own.
const KEPT = 'speed';
document.addEventListener('change', ({ target }) => {
  if (target === speed()) localStorage.setItem(KEPT, target.value);
});
const kept = localStorage.getItem(KEPT);
if (kept && speed() && [...speed().options].some((option) => option.value === kept)) speed().value = kept;
