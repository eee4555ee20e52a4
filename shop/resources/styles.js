// A product's styles: photos to look at, a style and a size to choose, and into the cart with it.

import { coloursOf } from '../colours.js';
import { element, spoken } from '../element.js';
import { photo } from '../photo.js';
import { toast } from '../toast.js';
import { add } from './cart.js';
import { price, subjectOf } from './products.js';

const MOST_PIECES = 10;

/** The gallery and the chooser of a product; `chosen` is the id of the style to begin with. */
export function styleChooser(product, styles, chosen, onchoose) {
  const gallery = element('div', { class: 'gallery' });
  const cost = element('p', { class: 'product-price' });
  const name = element('b', {});
  const sizes = element('div', { class: 'buy' });

  const swatches = styles.map(style => {
    const radio = element('input', { type: 'radio', name: 'style', value: style.style_id, onchange: () => choose(style) });
    const [first, second] = coloursOf(style.name, style.style_id);
    const dot = element('span', { class: 'swatch', title: style.name }, spoken(style.name));
    dot.style.setProperty('--first', first);
    dot.style.setProperty('--second', second ?? first);
    return element('label', {}, radio, dot);
  });

  function choose(style) {
    name.textContent = style.name;
    cost.replaceChildren(price(style.original_price, style.sale_price));
    gallery.replaceChildren(...photos(product, style));
    sizes.replaceChildren(buyForm(product, style));
    onchoose(style);
  }

  const first = styles.find(style => style.style_id === chosen) ?? styles.find(style => style['default?']) ?? styles[0];
  if (!first) {
    gallery.append(element('div', { class: 'gallery-main' }, photo(null, `${product.name}, no photo`, subjectOf(product))));
    cost.append(price(product.default_price, null));
    return { gallery, chooser: [cost, element('p', { class: 'quiet' }, 'This product cannot be ordered at the moment.')] };
  }
  swatches[styles.indexOf(first)].querySelector('input').checked = true;
  choose(first);
  const legend = element('legend', {}, 'Style: ', name);
  const chooser = [cost, element('fieldset', { class: 'styles' }, legend, element('div', { class: 'swatches' }, swatches)), sizes];
  return { gallery, chooser };
}

function photos(product, style) {
  const subject = look => ({ ...subjectOf(product, style), look });
  const main = element('div', { class: 'gallery-main' });
  const say = index => `${product.name} in ${style.name}, photo ${index + 1} of ${style.photos.length}`;
  const buttons = style.photos.map((one, index) =>
    element(
      'button',
      { type: 'button', class: 'thumb', onclick: () => show(index) },
      photo(one.thumbnail_url ?? one.url, say(index), subject(index)),
    ),
  );
  function show(index) {
    const one = style.photos[index] ?? {};
    main.replaceChildren(photo(one.url ?? one.thumbnail_url, say(index), subject(index), { eager: true }));
    buttons.forEach((button, other) => button.setAttribute('aria-current', String(other === index)));
  }
  show(0);
  return buttons.length > 1 ? [main, element('div', { class: 'thumbs', role: 'group', 'aria-label': 'Photos' }, buttons)] : [main];
}

function buyForm(product, style) {
  // A style without sizes has one sku, whose id is the text null.
  const skus = Object.entries(style.skus ?? {}).filter(([id]) => id !== 'null');
  const available = skus.filter(([, sku]) => sku.quantity > 0);
  if (available.length === 0) {
    return element('p', { class: 'quiet' }, skus.length === 0 ? 'No sizes are listed for this style.' : 'Sold out in this style.');
  }
  const fault = element('p', { class: 'field-fault', id: 'size-fault', role: 'alert' });
  const pieces = element('select', { id: 'pieces', name: 'count' });
  const radios = skus.map(([id, sku]) =>
    element('input', {
      type: 'radio',
      name: 'size',
      value: id,
      disabled: !(sku.quantity > 0),
      'aria-describedby': 'size-fault',
      onchange: () => chosen(sku),
    }),
  );
  const button = element('button', { type: 'submit', class: 'button button-wide' }, 'Add to cart');

  function chosen(sku) {
    fault.textContent = '';
    const before = pieces.value;
    const most = Math.min(sku.quantity, MOST_PIECES);
    pieces.replaceChildren(...Array.from({ length: most }, (_, index) => element('option', {}, String(index + 1))));
    pieces.value = Number(before) <= most && before ? before : '1';
  }
  chosen({ quantity: 1 });
  if (available.length === 1) {
    radios.find(radio => !radio.disabled).checked = true;
    chosen(available[0][1]);
  }

  async function submit(event) {
    event.preventDefault();
    const radio = radios.find(one => one.checked);
    if (!radio) {
      fault.textContent = 'Please choose a size first.';
      radios.find(one => !one.disabled).focus();
      return;
    }
    if (button.getAttribute('aria-disabled')) {
      return;
    }
    button.setAttribute('aria-disabled', 'true');
    try {
      const sku = style.skus[radio.value];
      await add({
        sku: Number(radio.value),
        count: Number(pieces.value),
        about: {
          product: product.id,
          name: product.name,
          category: product.category,
          style: style.name,
          style_id: style.style_id,
          size: sku.size,
          price: style.sale_price ?? style.original_price,
          photo: style.photos[0]?.thumbnail_url ?? null,
        },
      });
      toast(`Added to your cart: ${product.name}${sku.size ? `, ${sku.size}` : ''}`);
    } catch (error) {
      fault.textContent = error.message;
    } finally {
      button.removeAttribute('aria-disabled');
    }
  }

  return element(
    'form',
    { class: 'buy-form', onsubmit: submit, novalidate: true },
    element(
      'fieldset',
      { class: 'sizes' },
      element('legend', {}, 'Size'),
      element(
        'div',
        { class: 'choice-options' },
        skus.map(([, sku], index) => element('label', {}, radios[index], element('span', {}, sku.size ?? 'One size'))),
      ),
    ),
    element('div', { class: 'buy-line' }, element('label', { class: 'pieces', for: 'pieces' }, 'Quantity', pieces), button),
    fault,
  );
}
