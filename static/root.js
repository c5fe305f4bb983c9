// Where on its host the app lies: empty at the root, else a path such as /playground.
export const ROOT = new URL(import.meta.url).pathname.split('/static/')[0];
