// A photo, and the drawing that is there until it has come, and stays when it does not.

import { drawing } from './drawing.js';
import { element } from './element.js';

// Addresses that did not load once are not asked for again while the page lives.
const gone = new Set();

/** `subject` is what `drawing` takes; without an address there is only the drawing, without an `alt` it says nothing. */
export function photo(url, alt, subject, { eager = false } = {}) {
  const spoken = alt ? { role: 'img', 'aria-label': alt } : { 'aria-hidden': 'true' };
  const frame = element('span', { class: 'photo', ...spoken }, drawing(subject));
  if (isAddress(url) && !gone.has(url)) {
    const image = element('img', {
      alt: '',
      decoding: 'async',
      loading: eager ? 'eager' : 'lazy',
      referrerpolicy: 'no-referrer',
      onload: () => frame.classList.add('photo-loaded'),
      onerror: () => {
        gone.add(url);
        image.remove();
      },
    });
    image.src = url;
    frame.append(image);
  }
  return frame;
}

/** Whether a text of the catalogue may stand as a photo's address. */
export function isAddress(text) {
  return /^https?:\/\/\S+$/i.test(text ?? '');
}
