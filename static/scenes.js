// Scenes: shapes whose values are given for each frame go from one to the next, by themselves once and by hand at will.
import { say } from './words.js';

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const running = new WeakMap();

// Numbers and rows of numbers are between two frames; texts are those of the nearer one.
function between(track, at) {
  const k = Math.min(Math.floor(at), track.length - 1);
  const [a, b] = [track[k], track[Math.min(k + 1, track.length - 1)]];
  if (typeof a === 'number') return a + (b - a) * (at - k);
  if (Array.isArray(a)) return a.map((value, i) => (value + (b[i] - value) * (at - k)).toFixed(1)).join(' ');
  return track[Math.round(at)];
}

function eased(at) {
  const k = Math.floor(at);
  const u = at - k;
  return k + u * u * (3 - 2 * u);
}

function show(scene, at) {
  const { moving, captions, slider, line, flowing } = running.get(scene);
  const place = flowing ? at : eased(at);
  for (const [element, tracks] of moving) {
    for (const [name, track] of Object.entries(tracks)) {
      const value = between(track, place);
      if (name !== 'text') element.setAttribute(name, value);
      else if (element.textContent !== value) element.textContent = value;
    }
  }
  const said = captions[Math.round(at)];
  if (line.textContent !== said) line.textContent = said;
  slider.value = at;
  slider.setAttribute('aria-valuetext', said);
  scene.dataset.at = at.toFixed(2);
}

function pause(scene) {
  const state = running.get(scene);
  cancelAnimationFrame(state.next);
  delete scene.dataset.playing;
  state.button.textContent = say('play');
}

function play(scene) {
  const state = running.get(scene);
  const { last, seconds } = state;
  let begun = null;
  const from = Number(scene.dataset.at) >= last ? 0 : Number(scene.dataset.at);
  scene.dataset.playing = 'yes';
  state.button.textContent = say('pause');
  const go = (now) => {
    if (!scene.isConnected) return;
    begun ??= now;
    const at = Math.min(last, from + ((now - begun) / 1000) * (last / seconds));
    show(scene, at);
    if (at < last) state.next = requestAnimationFrame(go);
    else pause(scene);
  };
  state.next = requestAnimationFrame(go);
}

// What is held stays under the pointer: the time at which it comes nearest, the sooner the less time passes.
function heldAt(scene, x, y) {
  const { held: [grip, tracks], last, flowing } = running.get(scene);
  const now = Number(scene.dataset.at);
  const place = (name, at) => (tracks[name] ? between(tracks[name], flowing ? at : eased(at)) : Number(grip.getAttribute(name)));
  const far = (at) => (tracks.cx ? Math.abs(place('cx', at) - x) : 0) + (tracks.cy ? Math.abs(place('cy', at) - y) : 0) + 0.05 * Math.abs(at - now);
  const times = Array.from({ length: last * 40 + 1 }, (_, n) => n / 40);
  return times.reduce((best, at) => (far(at) < far(best) ? at : best));
}

function drag(scene, event) {
  const svg = scene.querySelector('svg');
  const box = svg.getBoundingClientRect();
  const { last } = running.get(scene);
  const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  const { width, height } = svg.viewBox.baseVal;
  const at = scene.dataset.held ? heldAt(scene, across * width, down * height) : Math.min(Math.max(across, 0), 1) * last;
  pause(scene);
  show(scene, calm.matches ? Math.round(at) : at);
}

function listen(scene) {
  const { slider, button } = running.get(scene);
  const svg = scene.querySelector('svg');
  slider.addEventListener('input', (event) => {
    event.stopPropagation();
    pause(scene);
    show(scene, Number(slider.value));
  });
  button.addEventListener('click', () => (scene.dataset.playing ? pause(scene) : play(scene)));
  svg.addEventListener('pointerdown', (event) => {
    if (event.button > 0) return;
    if (event.target.matches('.grip')) scene.dataset.held = 'yes';
    else delete scene.dataset.held;
    svg.setPointerCapture(event.pointerId);
    drag(scene, event);
  });
  svg.addEventListener('pointermove', (event) => {
    if (svg.hasPointerCapture(event.pointerId)) drag(scene, event);
  });
}

function begin(scene) {
  const slider = scene.querySelector('input');
  const last = Number(slider.max);
  const moving = [...scene.querySelectorAll('[data-track]')].map((element) => [element, JSON.parse(element.dataset.track)]);
  running.set(scene, {
    moving,
    held: moving.find(([element]) => element.matches('.grip')),
    captions: JSON.parse(scene.dataset.captions),
    button: scene.querySelector('button'),
    line: scene.querySelector('figcaption'),
    seconds: Number(scene.dataset.seconds),
    flowing: 'flowing' in scene.dataset,
    slider,
    last,
  });
  listen(scene);
  scene.dataset.begun = 'yes';
  if (calm.matches) {
    slider.step = 1;
    running.get(scene).button.hidden = true;
    scene.dataset.at = slider.value;
    return;
  }
  show(scene, 0);
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    if (!scene.dataset.playing && scene.dataset.at === '0.00') play(scene);
  }, { threshold: 0.5 });
  seen.observe(scene);
}

export function dress() {
  for (const scene of document.querySelectorAll('[data-scene]:not([data-begun])')) begin(scene);
}
