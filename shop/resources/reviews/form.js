// The form for a review.

import { choiceField, photosField, scalesField, starsField, textField } from '../../fields.js';
import { formDialog } from '../../form.js';
import { scaleOf } from './scales.js';

/** A dialog; `send` gets the review, `done` what came back. */
export function reviewForm({ product, characteristics, send, done }) {
  const scales = Object.entries(characteristics).map(([name, { id }]) => ({ id, label: name, words: scaleOf(name) }));
  return formDialog({
    title: 'Write a review',
    about: product.name,
    action: 'Publish review',
    fields: [
      starsField({ name: 'rating', label: 'Overall rating' }),
      choiceField({
        name: 'recommend',
        label: 'Would you recommend it?',
        options: [['true', 'Yes'], ['false', 'No']],
        convert: value => value === 'true',
        missing: 'Please choose yes or no.',
      }),
      ...(scales.length > 0 ? [scalesField({ name: 'characteristics', label: 'Characteristics', scales })] : []),
      textField({ name: 'summary', label: 'In a few words', required: false, longest: 1000 }),
      textField({ name: 'body', label: 'Your review', rows: 5, longest: 10000, hint: 'What do you like about it, and what not?' }),
      photosField({ name: 'photos', most: 5 }),
      textField({ name: 'name', label: 'Your name', longest: 100, hint: 'Shown with your review. Better not your full name.', autocomplete: 'nickname' }),
      textField({ name: 'email', label: 'Your e-mail address', type: 'email', longest: 254, hint: 'Never shown.', autocomplete: 'email' }),
    ],
    send: values => send({ product_id: product.id, ...values }),
    done,
  });
}
