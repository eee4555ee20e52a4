// Stars, to look at.

import { drawn, element } from './element.js';

const STAR = 'M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.5L12 17.5l-5.9 3.1 1.2-6.5L2.5 9.5l6.6-.9z';

/** A rating from 0 to 5, drawn to the quarter. */
export function stars(rating) {
  const shown = Math.round(rating * 4) / 4;
  const row = element('span', { class: 'stars', role: 'img', 'aria-label': `${rating.toFixed(1)} of 5 stars` });
  for (let index = 0; index < 5; index += 1) {
    const part = Math.min(Math.max(shown - index, 0), 1);
    row.append(
      drawn(
        'svg',
        { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
        drawn('path', { d: STAR, class: 'star-empty' }),
        part > 0 && drawn('path', { d: STAR, class: 'star-full', 'clip-path': `inset(0 ${100 - part * 100}% 0 0)` }),
      ),
    );
  }
  return row;
}
