// Which page is shown: `?product=ID`, `?cart`, else the list. The path does not matter, so each address can be loaded.

import { Problem } from './api.js';
import { element } from './element.js';
import { forget } from './freshness.js';
import { cartPage } from './pages/cart.js';
import { listPage } from './pages/list.js';
import { productPage } from './pages/product.js';
import { showCount } from './resources/cart.js';
import { tellClicks } from './resources/interactions.js';

const main = document.getElementById('main');
let shown = null;
let visit = 0;
let search = null;

async function show({ moved }) {
  const mine = (visit += 1);
  search = location.search;
  const query = new URLSearchParams(search);
  // A page may move within itself; one that is not shown any more moves nothing.
  const moveTo = address => {
    if (mine === visit) {
      history.replaceState(history.state, '', address);
      search = location.search;
    }
  };
  const page = query.has('product') ? productPage : query.has('cart') ? cartPage : listPage;
  main.setAttribute('aria-busy', 'true');
  forget();
  const made = await page(query, moveTo).catch(error => failurePage(error));
  if (mine !== visit) {
    made.close?.();
    return;
  }
  shown?.close?.();
  shown = made;
  document.title = made.title;
  main.replaceChildren(...made.nodes);
  main.removeAttribute('aria-busy');
  mark(page);
  const place = named(location.hash);
  if (place) {
    await made.settled;
    place.scrollIntoView();
  } else if (moved) {
    scrollTo(0, 0);
    main.querySelector('h1')?.focus({ preventScroll: true });
  }
}

function named(hash) {
  try {
    return document.getElementById(decodeURIComponent(hash.slice(1)));
  } catch {
    // What cannot be decoded, as `#%`, names nothing.
    return null;
  }
}

function failurePage(error) {
  const missing = error instanceof Problem && error.status === 404;
  return {
    title: 'Atelier',
    nodes: [
      element('div', { class: 'panel' },
        element('h1', { tabindex: '-1' }, missing ? 'There is no such product' : 'That did not work'),
        element('p', { role: 'alert' }, error.message),
        element('div', { class: 'form-actions' },
          !missing && element('button', { type: 'button', class: 'button', onclick: () => show({ moved: true }) }, 'Try again'),
          element('a', { class: 'button button-quiet', href: '/shop/' }, 'All products'))),
    ],
  };
}

function mark(page) {
  for (const link of document.querySelectorAll('.masthead nav a')) {
    const here = (link.id === 'cart-link' && page === cartPage) || (link.id !== 'cart-link' && page === listPage);
    if (here) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
}

// Links within the shop change the page without loading it anew; with a modifier they are the browser's.
document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.origin !== location.origin || !link.pathname.startsWith('/shop/')) {
    return;
  }
  if (link.getAttribute('href').startsWith('#')) {
    return;
  }
  event.preventDefault();
  history.pushState(null, '', link.href);
  show({ moved: true });
});
addEventListener('popstate', () => {
  // A move between anchors of one page is no other page.
  if (location.search !== search) {
    show({ moved: true });
  }
});

tellClicks();
show({ moved: false });
showCount().catch(() => {});
