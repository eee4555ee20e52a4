// What is in the cart.

import { element } from '../element.js';
import { photo } from '../photo.js';
import { lines } from '../resources/cart.js';
import { address } from '../resources/products.js';
import { money } from '../words.js';

/** The page for `?cart`. */
export async function cartPage() {
  const all = await lines();
  const known = all.every(line => line.about);
  const total = all.reduce((sum, line) => sum + line.count * Number(line.about?.price ?? 0), 0);
  return {
    title: 'Cart · Atelier',
    nodes: [
      element('h1', { tabindex: '-1', class: 'list-title' }, 'Your cart'),
      all.length === 0
        ? element('div', { class: 'panel' }, element('p', {}, 'There is nothing in it yet.'), element('a', { class: 'button', href: '/shop/' }, 'Look at the products'))
        : element('div', { class: 'cart' },
            element('ul', { class: 'cart-lines', 'aria-label': 'What is in your cart' }, all.map(item)),
            element('aside', { class: 'cart-total', 'aria-label': 'Total' },
              element('p', {}, known ? 'Total' : 'Total of what is listed with a price'),
              element('p', { class: 'cart-sum' }, money(String(total))),
              element('p', { class: 'quiet' }, 'This shop is for show: there is no checkout.'))),
    ],
  };
}

function item({ sku, count, about }) {
  if (!about) {
    return element('li', { class: 'cart-line', 'data-sku': sku },
      element('div', { class: 'cart-photo' }, photo(null, '', { id: sku })),
      element('div', {}, element('h2', {}, `Item ${sku}`), element('p', { class: 'quiet' }, 'Added elsewhere')),
      element('p', { class: 'cart-count' }, `× ${count}`));
  }
  const subject = { kind: [about.name, about.category], style: about.style, id: about.style_id };
  return element('li', { class: 'cart-line', 'data-sku': sku },
    element('div', { class: 'cart-photo' }, photo(about.photo, '', subject)),
    element('div', {},
      element('h2', {}, element('a', { href: address(about.product) }, about.name)),
      element('p', { class: 'quiet' }, [about.style, about.size].filter(Boolean).join(' · ')),
      element('p', {}, money(about.price))),
    element('p', { class: 'cart-count' }, `× ${count}`));
}
