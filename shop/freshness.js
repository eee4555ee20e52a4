// The quiet footer: up to which position the page shows everything, and how old that may be.
//
// A page is made of several answers. What holds for all of them is the lowest position and the highest age.

const shown = new Map();
let page = 0;

/** Another page is shown: what the last one displayed counts no more. */
export function forget() {
  shown.clear();
  page += 1;
  paint();
}

/** The page that is shown or being made: what is asked for now belongs to it. */
export const pageNow = () => page;

/** An answer is displayed, unless its page has gone meanwhile. `staleness` is in milliseconds, or null when the server does not say. */
export function display(of, what, { position, staleness, stale }) {
  if (position && of === page) {
    shown.set(what, { position, staleness, stale, at: performance.now() });
    paint();
  }
}

function paint() {
  const place = document.getElementById('freshness');
  const answers = [...shown.values()];
  if (answers.length === 0) {
    place.replaceChildren();
    return;
  }
  const lowest = answers.reduce((one, other) => (other.position.number < one.position.number ? other : one));
  const age = Math.max(...answers.map(answer => (answer.staleness ?? 0) + performance.now() - answer.at));
  const measured = answers.every(answer => answer.staleness !== null);
  const parts = [
    `position ${lowest.position.epoch}-${lowest.position.number}`,
    measured ? `${spell(age)} old` : `fetched ${age < 1000 ? 'just now' : `${spell(age)} ago`}`,
  ];
  if (answers.some(answer => answer.stale)) {
    parts.push('older than asked for');
  }
  const text = parts.join(' · ');
  if (place.textContent !== text) {
    place.textContent = text;
  }
}

function spell(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) {
    return seconds < 1 ? 'under 1 s' : `${Math.round(seconds)} s`;
  }
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

setInterval(paint, 1000);
