// Before anything is drawn: the theme and profile chosen earlier, so that no page flashes in the wrong one.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get('profile');
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem('looks') || '{}');
    root.toggleAttribute('data-played', 'played' in localStorage);
  } catch { /* storage may be closed to us: then the system's theme it is */ }
  root.dataset.theme = ['light', 'dark'].includes(kept.theme) ? kept.theme : 'auto';
  root.dataset.profile = asked === 'projector' || (asked === null && kept.profile === 'projector') ? 'projector' : 'screen';
  root.classList.add('js');
})();
