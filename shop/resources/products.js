// Products: the list, one product, its styles, what goes with it.

import { read } from '../api.js';
import { element, spoken } from '../element.js';
import { photo } from '../photo.js';
import { stars } from '../stars.js';
import { money } from '../words.js';
import { average, ratingsOf } from './reviews/summary.js';

/** A page of products. */
export const list = (page, count) => read('/products', { page, count });

/** One product with its features. */
export const product = id => read(`/products/${id}`);

/** Its styles: `results`, each with photos and skus. */
export const styles = id => read(`/products/${id}/styles`);

/** The ids of what goes with it. */
export const related = id => read(`/products/${id}/related`);

/** The style that is shown first. */
export const firstStyle = ({ results }) => results.find(style => style['default?']) ?? results[0] ?? null;

/** Where a product is shown. */
export const address = id => `/shop/?product=${id}`;

/** What a style costs; a sale shows what it cost before. */
export function price(original, sale) {
  if (!sale) {
    return element('span', { class: 'price' }, money(original));
  }
  return element(
    'span',
    { class: 'price price-sale' },
    element('ins', {}, spoken('Now '), money(sale)),
    ' ',
    element('del', {}, spoken('was '), money(original)),
  );
}

/** A product in a list. What it looks like and how it is rated comes when it comes into view. */
export function card(product, level = 'h2') {
  const picture = element('div', { class: 'card-photo' }, photo(null, '', subjectOf(product)));
  const cost = element('p', { class: 'card-price' }, price(product.default_price, null));
  const rating = element('p', { class: 'card-rating' });
  const node = element(
    'article',
    { class: 'card' },
    picture,
    element('p', { class: 'eyebrow' }, product.category),
    element(level, { class: 'card-name' }, element('a', { href: address(product.id) }, product.name)),
    cost,
    rating,
  );
  whenSeen(node, async () => {
    const [styled, rated] = await Promise.allSettled([styles(product.id), ratingsOf(product.id)]);
    const style = styled.status === 'fulfilled' ? firstStyle(styled.value) : null;
    if (style) {
      const first = style.photos[0] ?? {};
      picture.replaceChildren(photo(first.thumbnail_url ?? first.url, '', subjectOf(product, style)));
      cost.replaceChildren(price(style.original_price, style.sale_price));
    }
    const mean = rated.status === 'fulfilled' ? average(rated.value) : null;
    if (mean) {
      rating.replaceChildren(stars(mean.value), element('span', { 'aria-hidden': 'true' }, ` ${mean.count}`), spoken(`, ${mean.count} reviews`));
    }
  });
  return node;
}

/** What a drawing needs to know of a product, in a style where one is shown. */
export const subjectOf = ({ name, category, id }, style = null) =>
  ({ kind: [name, category], style: style?.name, id: style?.style_id ?? id });

/** A row of products that go with this one; null when there are none. */
export async function relatedRow(id) {
  const ids = await related(id);
  if (ids.length === 0) {
    return null;
  }
  // One that cannot be read does not keep the others away.
  const answers = await Promise.allSettled(ids.slice(0, 8).map(product));
  const products = answers.filter(answer => answer.status === 'fulfilled').map(answer => answer.value);
  if (products.length === 0) {
    return null;
  }
  return element(
    'section',
    { class: 'section', 'aria-labelledby': 'related' },
    element('h2', { id: 'related' }, 'Goes well with it'),
    element('ul', { class: 'shelf', 'aria-label': 'Related products' }, products.map(one => element('li', {}, card(one, 'h3')))),
  );
}

function whenSeen(node, act) {
  const observer = new IntersectionObserver(entries => {
    if (entries.some(entry => entry.isIntersecting)) {
      observer.disconnect();
      act();
    }
  }, { rootMargin: '200px' });
  observer.observe(node);
}
