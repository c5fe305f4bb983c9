// Before anything is drawn: the theme and profile chosen earlier, so that no page flashes in the wrong one.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get('profile');
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem('looks') || '{}');
  } catch { /* storage may be closed to us: then the system's theme it is */ }
  root.dataset.theme = ['light', 'dark'].includes(kept.theme) ? kept.theme : 'auto';
  root.dataset.profile = asked === 'projector' || (asked === null && kept.profile === 'projector') ? 'projector' : 'screen';
  try {
    root.toggleAttribute('data-played', localStorage.getItem('played') !== null);
  } catch { /* then every visit is the first */ }
  root.classList.add('js');
})();
