// Names that a person gives to runs. They stay in this browser; a run's own name is what it is made of.
const KEY = 'names';
const body = document.getElementById('runs-body');

function names() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || '{}');
  } catch {
    return {};
  }
}

export function fill() {
  const known = names();
  for (const link of body.querySelectorAll('[data-run]')) {
    const made = link.parentElement.querySelector('small');
    link.textContent = known[link.dataset.run] ?? made.textContent;
    made.hidden = !(link.dataset.run in known);
    link.nextElementSibling.hidden = false;
  }
}

function keep(link, name) {
  const known = names();
  if (name && name !== link.parentElement.querySelector('small').textContent) known[link.dataset.run] = name;
  else delete known[link.dataset.run];
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch { /* not kept, then */ }
  fill();
}

function ask(button) {
  const link = button.parentElement.querySelector('a');
  const field = Object.assign(document.createElement('input'), { value: link.textContent, maxLength: 60, ariaLabel: button.ariaLabel });
  const done = (name) => {
    field.onblur = null;
    field.replaceWith(link);
    if (name !== null) keep(link, name);
  };
  field.onblur = () => done(field.value.trim());
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault(); // the dialog stays open
    done(event.key === 'Enter' ? field.value.trim() : null);
    button.focus();
  };
  link.replaceWith(field);
  field.select();
}

body.addEventListener('click', ({ target }) => { if (target.matches('.rename')) ask(target); });
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => { if (ctx.target === body) fill(); });
