// A form in a dialog: its fields, their faults beside them, and sending.
//
// What was typed stays when the dialog is closed, until it has been sent.

import { Problem } from './api.js';
import { element, spoken } from './element.js';
import { toast } from './toast.js';

let made = 0;

/**
 * A dialog. `fields` come from ./fields.js; `send` gets the values by name and may throw; `done` gets what `send` gave,
 * when the dialog has closed.
 */
export function formDialog({ title, about, fields, action, send, done }) {
  const id = `form-${(made += 1)}`;
  const failure = element('p', { class: 'form-failure', role: 'alert', tabindex: '-1' });
  const submit = element('button', { type: 'submit', class: 'button' }, action);
  const form = element(
    'form',
    { class: 'form', novalidate: true, method: 'dialog' },
    element('h2', { id }, title),
    about && element('p', { class: 'form-about' }, about),
    failure,
    fields.map(field => field.node),
    element(
      'div',
      { class: 'form-actions' },
      submit,
      element('button', { type: 'button', class: 'button button-quiet', onclick: () => dialog.close() }, 'Cancel'),
    ),
  );
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': id }, form);
  let sending = false;

  form.addEventListener('submit', async event => {
    event.preventDefault();
    if (sending) {
      return;
    }
    failure.textContent = '';
    for (const field of fields) {
      field.fault('');
    }
    const faulty = fields.filter(field => field.check());
    if (faulty.length > 0) {
      faulty[0].focus();
      return;
    }
    sending = true;
    submit.textContent = 'Sending…';
    submit.setAttribute('aria-disabled', 'true');
    try {
      const sent = await send(Object.assign({}, ...fields.map(field => field.value())));
      dialog.close();
      dialog.remove();
      // It is stored; that it cannot be shown yet is no fault of the form.
      Promise.resolve(done(sent)).catch(error => toast(error.message));
    } catch (error) {
      show(error);
    } finally {
      sending = false;
      submit.textContent = action;
      submit.removeAttribute('aria-disabled');
    }
  });

  // Each fault goes to its field: `photos[1]` and `characteristics.14` to the fields of those names.
  function show(error) {
    const homeless = [];
    const named = error instanceof Problem ? error.errors : [];
    let first = null;
    for (const { field: name, message } of named) {
      const field = fields.find(candidate => candidate.answersTo(name));
      if (field) {
        field.fault(message.charAt(0).toUpperCase() + message.slice(1), name);
        first ??= field;
      } else {
        homeless.push(`${name} ${message}`);
      }
    }
    if (!first || homeless.length > 0) {
      failure.textContent = [error.message, ...homeless].join('; ');
    }
    (first ?? { focus: () => failure.focus() }).focus();
  }

  return {
    open() {
      if (!dialog.isConnected) {
        document.body.append(dialog);
      }
      dialog.showModal();
      fields[0].focus();
    },
    discard: () => dialog.remove(),
  };
}

/** A button that asks once more before it acts. */
export function confirmedButton({ label, what, question, act }) {
  const place = element('span', { class: 'confirm' });
  const ask = element('button', { type: 'button', class: 'link', onclick: () => asked() }, label, spoken(` ${what}`));
  function asked() {
    const yes = element('button', { type: 'button', class: 'link', onclick: () => act() }, `Yes, ${label.toLowerCase()}`);
    const no = element('button', { type: 'button', class: 'link', onclick: () => back() }, 'Cancel');
    place.replaceChildren(element('span', {}, question), ' ', yes, ' ', no);
    yes.focus();
  }
  function back() {
    place.replaceChildren(ask);
    ask.focus();
  }
  place.append(ask);
  return place;
}
