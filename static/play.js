// Play: the next steps are asked for when the last frame is in the page, and drawn when that one has been on screen.
// So the server works while the browser paints, is never more than one frame ahead, and trains nothing while nobody looks.
import { advance, announce, number, painted, state, toHead } from './view.js';

let playing = false;
let loop = Promise.resolve();

const button = () => document.getElementById('play');
export const isPlaying = () => playing;

function draw() {
  button().setAttribute('aria-pressed', String(playing));
  button().querySelector('.glyph').textContent = playing ? '❚❚' : '▶';
  button().querySelector('.word').textContent = playing ? 'Pause' : 'Play';
  document.body.classList.toggle('playing', playing);
}

// While playing the address means the head, so that a reload does not go back.
function openEnded() {
  const here = new URL(location.href);
  here.searchParams.delete('step');
  history.replaceState(history.state, '', here.pathname + here.search.replaceAll('%2C', ','));
}

async function go() {
  await advance(1, { moment: '' }); // a whole frame first: it leaves the past and the walkthrough
  if (playing && location.pathname === '/') openEnded();
  while (playing) {
    if (document.hidden) {
      await new Promise((done) => document.addEventListener('visibilitychange', done, { once: true }));
      continue;
    }
    const onScreen = painted();
    const held = async (...request) => {
      const answer = await fetch(...request);
      await onScreen;
      return answer;
    };
    await advance(Number(document.getElementById('speed')?.value ?? 1), { quick: 1 }, { fetch: held });
  }
  await toHead();
  announce(`Paused at step ${number('step')}, train loss ${number('train-loss')}.`);
}

export function play() {
  if (playing) return loop;
  if (state().diverged === 'true') return loop;
  playing = true;
  draw();
  loop = loop.then(go);
  return loop;
}

export function pause() {
  if (playing) {
    playing = false;
    draw();
  }
  return loop;
}

export const toggle = () => (playing ? pause() : play());

document.addEventListener('stopped', pause);
document.addEventListener('htmx:response:error', pause);
document.addEventListener('htmx:error', pause);
document.addEventListener('click', (event) => {
  if (event.target.closest('#play')) toggle();
});
