// The wall is for a projector, whatever this browser shows otherwise; before anything is drawn.
document.documentElement.dataset.profile = 'projector';
document.documentElement.dataset.theme = 'light';
