// What all reviews of a product say together.

import { read } from '../../api.js';
import { element, spoken } from '../../element.js';
import { stars } from '../../stars.js';
import { count } from '../../words.js';
import { scaleOf } from './scales.js';

/** Ratings, recommendations and characteristics of a product. */
export const ratingsOf = product => read('/reviews/meta', { product_id: product });

/** The mean rating and how many there are; null when there is none. */
export function average(meta) {
  const ratings = Object.entries(meta.ratings).map(([rating, times]) => [Number(rating), Number(times)]);
  const total = ratings.reduce((sum, [, times]) => sum + times, 0);
  const sum = ratings.reduce((all, [rating, times]) => all + rating * times, 0);
  return total > 0 ? { value: sum / total, count: total } : null;
}

/** The summary beside the reviews. */
export function summary(meta) {
  const mean = average(meta);
  if (!mean) {
    return element('div', { class: 'summary' }, element('p', { class: 'quiet' }, 'Nobody has rated this yet.'));
  }
  const recommended = Number(meta.recommended.true);
  const asked = recommended + Number(meta.recommended.false);
  return element(
    'div',
    { class: 'summary' },
    element('p', { class: 'summary-mean' }, element('b', {}, mean.value.toFixed(1)), stars(mean.value)),
    element('p', { class: 'quiet' }, `From ${count(mean.count, 'review')}`),
    asked > 0 && element('p', {}, `${Math.round((100 * recommended) / asked)} % recommend it`),
    element('ul', { class: 'bars', 'aria-label': 'Ratings' }, [5, 4, 3, 2, 1].map(rating => bar(rating, meta.ratings[rating], mean.count))),
    characteristics(meta),
  );
}

function bar(rating, times = '0', total) {
  const fill = element('span', { class: 'bar-fill' });
  fill.style.setProperty('--part', Number(times) / total);
  return element(
    'li',
    {},
    element('span', { 'aria-hidden': 'true' }, `${rating} ★`),
    element('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
    element('span', { 'aria-hidden': 'true' }, times),
    spoken(`${rating} stars: ${count(Number(times), 'review')}`),
  );
}

function characteristics(meta) {
  const rated = Object.entries(meta.characteristics).filter(([, { value }]) => value !== null);
  return element('dl', { class: 'traits' }, rated.map(([name, { value }]) => {
    const words = scaleOf(name);
    const mark = element('span', { class: 'trait-mark' });
    mark.style.setProperty('--at', (Number(value) - 1) / 4);
    return element(
      'div',
      {},
      element('dt', {}, name),
      element(
        'dd',
        {},
        element('span', { class: 'trait-scale', 'aria-hidden': 'true' }, mark),
        element('span', { class: 'trait-ends', 'aria-hidden': 'true' }, element('span', {}, words[0]), element('span', {}, words[4])),
        spoken(`${Number(value).toFixed(1)} on a scale from 1, ${words[0]}, to 5, ${words[4]}`),
      ),
    );
  }));
}
