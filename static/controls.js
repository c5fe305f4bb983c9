// Controls: sliders tell their value while they move.
document.addEventListener('input', (event) => {
  const slider = event.target;
  const output = slider.matches?.('.slider input') && document.getElementById(`o-${slider.name}`);
  if (!output) return;
  const value = Number(slider.value);
  output.textContent = slider.dataset.unit === '%' ? `${Math.round(100 * value)} %` : slider.step.includes('.') ? value.toFixed(2) : String(value);
});

// Your data comes with a script of its own, when it is first wanted.
document.addEventListener('click', async (event) => {
  const tile = event.target.closest?.('#tile-custom');
  if (!tile || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const { open } = await import('./data.js');
  open(tile.href);
});

export function closeData() {
  document.getElementById('mydata')?.close();
}

// Of two controls that do not suit each other the one touched last counts: a loss brings its output along.
document.addEventListener('change', ({ target }) => {
  if (target.form?.id === 'settings' && target.name) document.getElementById('touched').value = target.name;
}, true);

// The server's answer is what is chosen, also where a person has chosen before.
document.addEventListener('htmx:after:swap', () => {
  for (const option of document.querySelectorAll('#settings option, #over option')) {
    if (option.defaultSelected && !option.selected) option.selected = true;
  }
  for (const box of document.querySelectorAll('#settings [type="checkbox"]')) box.checked = box.defaultChecked;
});
