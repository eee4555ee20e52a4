// Reviews: the summary, the list with its order and its votes, and writing one.

import { read, write } from '../api.js';
import { element } from '../element.js';
import { moreButton, takeOut, voteLine } from '../listing.js';
import { photo } from '../photo.js';
import { stars } from '../stars.js';
import { toast } from '../toast.js';
import { day } from '../words.js';
import { reviewForm } from './reviews/form.js';
import { average, ratingsOf, summary } from './reviews/summary.js';

const PAGE = 4;
const ORDERS = [['relevant', 'Most relevant'], ['newest', 'Newest'], ['helpful', 'Most helpful']];

const list = (product, sort, page) => read('/reviews', { product_id: product, sort, page, count: PAGE });
const create = review => write('POST', '/reviews', review);
const vote = id => write('PUT', `/reviews/${id}/helpful`);
const report = id => write('PUT', `/reviews/${id}/report`);

/** The section of a product's page. `onrated` gets the mean rating whenever it may have changed. */
export function reviewSection(product, onrated) {
  const overview = element('div', {});
  const items = element('ul', { class: 'talk', 'aria-label': 'Reviews' });
  const more = moreButton('More reviews', () => showMore());
  const failure = element('p', { class: 'form-failure', role: 'alert' });
  const order = element('select', { id: 'order', onchange: () => restart() }, ORDERS.map(([value, label]) => element('option', { value }, label)));
  const writeButton = element('button', { type: 'button', class: 'button button-second', onclick: () => form?.open() }, 'Write a review');
  let form = null;
  let page = 0;
  let full = false;
  let total = Infinity;
  // Answers to a question that is no longer asked are dropped.
  let asked = 0;

  async function refreshSummary() {
    const meta = await ratingsOf(product.id);
    overview.replaceChildren(summary(meta));
    onrated(average(meta));
    total = average(meta)?.count ?? 0;
    hideMore();
    form ??= reviewForm({ product, characteristics: meta.characteristics, send: create, done: written });
  }

  function hideMore() {
    more.hidden = !full || items.children.length >= total;
  }

  async function restart() {
    page = 0;
    await showMore(true);
  }

  async function showMore(anew = false) {
    const question = (asked += 1);
    items.setAttribute('aria-busy', 'true');
    try {
      const { results } = await list(product.id, order.value, page + 1);
      if (question !== asked) {
        return;
      }
      page += 1;
      failure.textContent = '';
      const known = anew ? [] : [...items.children].map(item => item.dataset.id);
      const added = results.filter(review => !known.includes(String(review.review_id))).map(review => item(product, review, hidden));
      if (anew) {
        items.replaceChildren(...added);
      } else {
        items.append(...added);
        (added[0] ?? items.lastElementChild)?.focus();
      }
      full = results.length === PAGE;
      hideMore();
      if (items.children.length === 0) {
        items.append(element('li', { class: 'quiet' }, 'No reviews yet. Yours would be the first.'));
      }
    } catch (error) {
      failure.textContent = error.message;
    } finally {
      items.removeAttribute('aria-busy');
    }
  }

  // A review that is hidden counts no more.
  function hidden(row) {
    takeOut(row);
    refreshSummary().catch(() => {});
  }

  async function written(answer) {
    form = null;
    order.value = 'newest';
    toast('Thank you! Your review is published.');
    await Promise.all([restart(), refreshSummary()]);
    const mine = items.querySelector(`[data-id="${answer?.review_id}"]`);
    mine?.classList.add('talk-new');
    mine?.focus();
  }

  const node = element(
    'section',
    { class: 'section', id: 'reviews', 'aria-labelledby': 'reviews-title' },
    element('h2', { id: 'reviews-title', tabindex: '-1' }, 'Reviews'),
    element(
      'div',
      { class: 'reviews' },
      overview,
      element(
        'div',
        {},
        element('div', { class: 'talk-head' }, element('label', { for: 'order' }, 'Sort by ', order), writeButton),
        failure,
        items,
        more,
      ),
    ),
  );
  const ready = Promise.all([restart(), refreshSummary().catch(error => { failure.textContent = error.message; })]);
  return { node, ready, close: () => form?.discard() };
}

function item(product, review, hidden) {
  const row = element(
    'li',
    { class: 'talk-item', tabindex: '-1', 'data-id': review.review_id },
    element(
      'p',
      { class: 'talk-meta' },
      stars(review.rating),
      element('span', {}, element('b', {}, review.reviewer_name), ' · ', element('time', { datetime: review.date }, day(review.date))),
    ),
    review.summary && element('h3', {}, review.summary),
    element('p', { class: 'talk-body' }, review.body),
    review.recommend && element('p', { class: 'recommends' }, 'Recommends this product'),
    photoRow(review.photos.map(({ url }) => url), product),
    review.response && element('blockquote', { class: 'response' }, element('b', {}, 'The shop answers: '), review.response),
    voteLine({
      kind: 'review',
      id: review.review_id,
      what: spokenName(review),
      votes: review.helpfulness,
      vote: () => vote(review.review_id),
      report: () => report(review.review_id),
      gone: () => hidden(row),
    }),
  );
  return row;
}

/** Photos below a text; drawings in their place show `product.subject`. */
export function photoRow(urls, product) {
  if (urls.length === 0) {
    return null;
  }
  return element(
    'ul',
    { class: 'photo-row', 'aria-label': 'Photos' },
    urls.map((url, look) => element('li', {}, photo(url, `Photo ${look + 1}`, { ...product.subject, look }))),
  );
}

const spokenName = review => `the review by ${review.reviewer_name}`;
