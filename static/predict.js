// Predict: at telling moments what is computed is hidden until one has said which way it goes, or how much it is. The
// engine judges; the score is kept for the visit.
import { announce, fields, moment, run, step, ROOT } from './view.js';
import { say } from './words.js';

const by = (id) => document.getElementById(id);
const place = () => by('prediction');
const ARROWS = { up: '↑', down: '↓', stay: '=' };
const kept = JSON.parse(sessionStorage.getItem('predicted') ?? '{"right":0,"all":0}');
const answered = new Set();
let posed = { of: '', questions: [] };
let asked = null;

const on = () => by('predict')?.getAttribute('aria-pressed') === 'true';
const here = () => [run(), step(), fields().example ?? '', fields().grain ?? 'unit'].join(' ');

async function ask(more) {
  const { example = '', grain = 'unit' } = fields();
  // A run that is not stored yet goes by its link.
  const about = { ...(run() === 'new' ? fields() : { example, grain }), step: step(), ...more };
  const answer = await fetch(`${ROOT}/runs/${run()}/predictions?${new URLSearchParams(about)}`);
  return answer.ok ? answer.json() : { questions: [], verdict: null };
}

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), { textContent: text });
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const score = () => element('span', kept.all ? say('answers-right', kept) : say('answers-none'), { class: 'score' });

function open(question) {
  asked = question;
  document.body.classList.add('asking');
  const form = element('form', '', { class: 'number' });
  form.append(element('label', `${say('number-or')} `), element('button', say('number-say'), { class: 'button' }));
  form.firstChild.append(element('input', '', { name: 'answer', inputmode: 'decimal', autocomplete: 'off', size: 8, 'aria-label': question.number_prompt }));
  const named = { up: say('option-up'), down: say('option-down'), stay: say('option-stay') };
  const options = element('div', '', { class: 'options' });
  question.options.forEach((option, n) => {
    const button = element('button', '', { type: 'button', class: 'option', 'data-answer': option });
    button.append(element('b', ARROWS[option] ?? ''), element('span', named[option] ?? option), element('kbd', String(n + 1)));
    options.append(button);
  });
  place().replaceChildren(element('h2', question.prompt), score(), options, form, element('p', say('hint', question), { class: 'hint' }));
  place().hidden = false;
  announce(question.prompt);
}

function close() {
  asked = null;
  document.body.classList.remove('asking');
  const at = place();
  if (at) at.hidden = true;
}

function reveal(line) {
  answered.add(`${here()} ${moment()}`);
  close();
  if (!line) return;
  place().replaceChildren(line, score());
  place().hidden = false;
  announce(line.textContent);
}

async function judge(answer) {
  const { verdict } = await ask({ moment: moment(), answer });
  if (!verdict || verdict.truth === null) return announce(verdict?.message ?? say('silent'));
  kept.all += 1;
  kept.right += verdict.correct;
  sessionStorage.setItem('predicted', JSON.stringify(kept));
  const says = verdict.correct ? say('right', { reason: verdict.message }) : say('look-at', { factor: verdict.factor, reason: verdict.message });
  return reveal(element('p', says, { class: verdict.correct ? 'update' : 'negative', role: 'status' }));
}

export async function predict() {
  if (!on() || moment() === null || !fields().example) {
    close();
    if (on() && moment() !== null && !fields().example) {
      place().replaceChildren(element('p', say('predict-one')));
      place().hidden = false;
    }
    return;
  }
  if (posed.of !== here()) {
    const of = here();
    posed = { of, questions: (await ask({})).questions };
    if (of !== here()) return;
  }
  const question = posed.questions.find((each) => each.moment === moment());
  if (question && !answered.has(`${here()} ${moment()}`)) open(question);
  else close();
}

document.addEventListener('click', (event) => {
  if (event.target.closest?.('#prediction .option')) judge(event.target.closest('.option').dataset.answer);
  if (asked && event.target.closest?.('#next')) {
    event.preventDefault();
    event.stopImmediatePropagation();
    reveal();
  }
}, true);
document.addEventListener('submit', (event) => {
  if (!event.target.closest('#prediction')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  judge(event.target.elements.namedItem('answer').value);
}, true);
document.addEventListener('keydown', (event) => {
  if (!asked || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
  const option = asked.options[Number(event.key) - 1];
  if (!option && event.key !== 'ArrowRight') return;
  event.preventDefault();
  if (option) judge(option);
  else reveal();
}, true);
const sheet = document.createElement('link');
Object.assign(sheet, { rel: 'stylesheet', href: new URL('predict.css', import.meta.url).href });
document.head.append(sheet);
