// One product with everything that is said about it.

import { element } from '../element.js';
import { firstStyle, product as readProduct, relatedRow, styles as readStyles, subjectOf } from '../resources/products.js';
import { questionSection } from '../resources/questions.js';
import { reviewSection } from '../resources/reviews.js';
import { styleChooser } from '../resources/styles.js';
import { stars } from '../stars.js';
import { count } from '../words.js';

/** The page for `?product=ID`, `&style=ID`; `moveTo` gets its address when another style is chosen. */
export async function productPage(query, moveTo) {
  const id = query.get('product');
  const path = encodeURIComponent(id);
  const [found, styles] = await Promise.all([readProduct(path), readStyles(path)]);
  const product = { ...found, subject: subjectOf(found, firstStyle(styles)) };

  const rating = element('p', { class: 'product-rating' });
  const { gallery, chooser } = styleChooser(product, styles.results, Number(query.get('style')), style => {
    const address = style['default?'] ? `/shop/?product=${id}` : `/shop/?product=${id}&style=${style.style_id}`;
    moveTo(address + location.hash);
  });
  const reviews = reviewSection(product, mean => {
    rating.replaceChildren(
      ...(mean
        ? [stars(mean.value), element('a', { href: '#reviews' }, `Read all ${count(mean.count, 'review')}`)]
        : [element('a', { href: '#reviews' }, 'Be the first to review it')]),
    );
  });
  const questions = questionSection(product);
  const related = element('div', {});
  const alongside = relatedRow(path).then(row => row && related.replaceWith(row)).catch(() => related.remove());

  return {
    title: `${product.name} · Atelier`,
    nodes: [
      element(
        'nav',
        { class: 'crumbs', 'aria-label': 'Breadcrumb' },
        element('ol', {}, element('li', {}, element('a', { href: '/shop/' }, 'Products')), element('li', { 'aria-current': 'page' }, product.name)),
      ),
      element(
        'div',
        { class: 'product' },
        gallery,
        element(
          'div',
          { class: 'product-facts' },
          element('p', { class: 'eyebrow' }, product.category),
          element('h1', { tabindex: '-1' }, product.name),
          rating,
          chooser,
        ),
      ),
      element(
        'section',
        { class: 'section story', 'aria-label': 'Description' },
        element('div', {},
          product.slogan && element('p', { class: 'slogan' }, product.slogan),
          product.description && element('p', {}, product.description)),
        product.features.length > 0 &&
          element('dl', { class: 'features' },
            product.features.map(({ feature, value }) =>
              element('div', {}, element('dt', {}, feature), value !== null && element('dd', {}, value)))),
      ),
      related,
      reviews.node,
      questions.node,
    ],
    settled: Promise.all([alongside, reviews.ready, questions.ready]),
    close() {
      reviews.close();
      questions.close();
    },
  };
}
