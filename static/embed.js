// The playground in a frame on another page: keys, and steps that are another address rather than another state.
import { fields, latest, moment, show, step } from './view.js';
import { pause, toggle } from './play.js';
import { end, listen, move, slowly, walking } from './frame.js';

// Quick presses add up, and only the step that they come to is asked for.
let wanted = null;
const look = latest(async (value) => {
  await show({ step: value, moment: '' });
  if (wanted === value) wanted = null;
});

async function go(count) {
  await pause();
  wanted = Math.max(0, (wanted ?? step()) + count);
  return look(wanted);
}

const escape = () => (fields().select ? show({ select: '' }) : end());

listen({
  ' ': toggle,
  s: () => go(1),
  b: () => go(-1),
  w: slowly,
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
  Escape: escape,
});

// The buttons of the form would keep the moment of the walkthrough, which belongs to the step that is left.
document.addEventListener('click', (event) => {
  const pressed = event.target.closest?.('#step, #back-step');
  if (!pressed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  go(pressed.id === 'step' ? 1 : -1);
}, true);

if (moment() !== null) await walking();
document.documentElement.dataset.ready = 'true';
walking();
