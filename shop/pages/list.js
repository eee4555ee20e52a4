// All products, a page at a time.

import { element } from '../element.js';
import { card, list } from '../resources/products.js';

const PAGE = 12;

/** The page for `?page=N`. */
export async function listPage(query) {
  const page = Math.max(1, Math.trunc(Number(query.get('page'))) || 1);
  const products = await list(page, PAGE);
  const address = to => (to === 1 ? '/shop/' : `/shop/?page=${to}`);
  const intro = page === 1
    ? element('div', { class: 'hero' },
        element('h1', { tabindex: '-1' }, 'Made to be worn, and written about.'),
        element('p', {}, 'Jackets, trousers, shoes and what goes with them, with the word of those who wear them.'))
    : element('h1', { tabindex: '-1', class: 'list-title' }, `Products, page ${page}`);
  return {
    title: page === 1 ? 'Atelier' : `Products, page ${page} · Atelier`,
    nodes: [
      intro,
      products.length > 0
        ? element('ul', { class: 'grid', 'aria-label': 'Products' }, products.map(product => element('li', {}, card(product))))
        : element('p', { class: 'panel' }, page === 1 ? 'There are no products yet.' : 'There are no more products.'),
      element(
        'nav',
        { class: 'pager', 'aria-label': 'Pages' },
        page > 1 ? element('a', { class: 'button button-second', href: address(page - 1), rel: 'prev' }, 'Back') : element('span', {}),
        element('span', { class: 'quiet' }, `Page ${page}`),
        products.length === PAGE ? element('a', { class: 'button button-second', href: address(page + 1), rel: 'next' }, 'Next') : element('span', {}),
      ),
    ],
  };
}
