// The cart of this browser's session, which is a cookie that the shop sets and this page cannot see.
//
// The API knows a line's sku and count; what that is, the page remembers from when it was added.

import { Problem, read, write } from '../api.js';
import { recall, remember } from '../memory.js';
import { count } from '../words.js';

const HAS_SESSION = 'cart.has-session';
const ABOUT = 'cart.about';

/** The lines, each with what is remembered about it. */
export async function lines() {
  const about = recall(ABOUT, {});
  const found = await read('/cart');
  const all = found.map(line => ({ sku: line.sku_id, count: Number(line.count), about: about[line.sku_id] ?? null }));
  show(all);
  return all;
}

/** Adds pieces of a sku. */
export async function add({ sku, count, about }) {
  const line = { sku_id: sku, count };
  if (recall(HAS_SESSION, false)) {
    try {
      await write('POST', '/cart', line);
    } catch (error) {
      // The cookie has gone, and a key needs a session.
      if (!(error instanceof Problem && error.status === 422)) {
        throw error;
      }
      await write('POST', '/cart', line, { keyed: false });
    }
  } else {
    // The answer brings the session.
    await write('POST', '/cart', line, { keyed: false });
    remember(HAS_SESSION, true);
  }
  remember(ABOUT, { ...recall(ABOUT, {}), [sku]: about });
  // It is in the cart; that the number beside the link cannot be read yet is no failure.
  await lines().catch(() => {});
}

/** The number beside the link to the cart. */
export async function showCount() {
  if (recall(HAS_SESSION, false)) {
    await lines();
  }
}

function show(all) {
  const pieces = all.reduce((sum, line) => sum + line.count, 0);
  const link = document.getElementById('cart-link');
  link.textContent = pieces > 0 ? `Cart (${pieces})` : 'Cart';
  link.setAttribute('aria-label', pieces > 0 ? `Cart, ${count(pieces, 'piece')}` : 'Cart, empty');
}
