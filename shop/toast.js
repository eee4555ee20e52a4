// One line that says what has just happened, also to screen readers.

const STAYS_MS = 5_000;
let timer;

/** Shows it for a while. */
export function toast(text) {
  const place = document.getElementById('toast');
  clearTimeout(timer);
  place.textContent = text;
  place.classList.add('toast-shown');
  timer = setTimeout(() => {
    place.classList.remove('toast-shown');
    place.textContent = '';
  }, STAYS_MS);
}
