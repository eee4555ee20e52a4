// The fields that forms are made of. Each has: node, value() as {name: …}, check() which shows a fault and says whether
// there is one, fault(message) from elsewhere, answersTo(name of a field in a problem document), focus().

import { drawn, element, spoken } from './element.js';

let made = 0;

function field(name, node, control, fault, more) {
  const shown = message => {
    fault.textContent = message;
    for (const one of [control()].flat()) {
      if (message) {
        one.setAttribute('aria-invalid', 'true');
      } else {
        one.removeAttribute('aria-invalid');
      }
    }
  };
  return {
    node,
    fault: shown,
    answersTo: wrong => wrong === name || wrong.startsWith(`${name}[`) || wrong.startsWith(`${name}.`),
    check() {
      const invalid = [control()].flat().find(one => !one.validity.valid);
      if (invalid) {
        shown(invalid.validity.valueMissing ? more.missing ?? 'Please fill in this field.' : invalid.validationMessage);
      }
      return Boolean(invalid);
    },
    focus() {
      const controls = [control()].flat();
      (controls.find(one => one.checked) ?? controls.find(one => !one.validity.valid) ?? controls[0]).focus();
    },
    ...more,
  };
}

/** One line of text, or several with `rows`. */
export function textField({ name, label, hint, type = 'text', rows, required = true, longest, autocomplete = 'off' }) {
  const id = `field-${(made += 1)}`;
  const fault = element('p', { class: 'field-fault', id: `${id}-fault` });
  const counter = rows && longest ? element('span', { class: 'field-count', 'aria-hidden': 'true' }) : null;
  const control = element(rows ? 'textarea' : 'input', {
    id,
    name,
    type: rows ? null : type,
    rows,
    required,
    maxlength: longest,
    autocomplete,
    'aria-describedby': hint ? `${id}-hint ${id}-fault` : `${id}-fault`,
    oninput: () => {
      if (counter) {
        counter.textContent = control.value ? `${[...control.value].length.toLocaleString()} of ${longest.toLocaleString()}` : '';
      }
    },
  });
  const node = element(
    'div',
    { class: 'field' },
    element('label', { for: id }, label, !required && element('span', { class: 'optional' }, ' (optional)'), counter),
    control,
    hint && element('p', { class: 'field-hint', id: `${id}-hint` }, hint),
    fault,
  );
  return field(name, node, () => control, fault, {
    value: () => (control.value === '' && !required ? {} : { [name]: control.value }),
  });
}

/** One of a few. `options` are [value, label]; `convert` makes the body's value of it. */
export function choiceField({ name, label, options, convert = value => value, put, kind = 'pills', missing }) {
  const id = `field-${(made += 1)}`;
  const fault = element('p', { class: 'field-fault', id: `${id}-fault` });
  const controls = options.map(([value]) =>
    element('input', { type: 'radio', name: id, value, required: true, 'aria-describedby': `${id}-fault` }),
  );
  const node = element(
    'fieldset',
    { class: `field choice choice-${kind}` },
    element('legend', {}, label),
    element(
      'div',
      { class: 'choice-options' },
      options.map(([, content], index) => element('label', {}, controls[index], content)),
    ),
    fault,
  );
  return field(name, node, () => controls, fault, {
    missing: missing ?? 'Please choose one.',
    value() {
      const chosen = convert(controls.find(one => one.checked)?.value);
      return put ? put(chosen) : { [name]: chosen };
    },
  });
}

/** One to five stars. */
export function starsField({ name, label }) {
  const words = ['Poor', 'Fair', 'Average', 'Good', 'Great'];
  const star = () =>
    drawn('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
      drawn('path', { d: 'M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.5L12 17.5l-5.9 3.1 1.2-6.5L2.5 9.5l6.6-.9z' }));
  return choiceField({
    name,
    label,
    kind: 'stars',
    missing: 'Please choose from one to five stars.',
    convert: Number,
    options: words.map((word, index) => [
      index + 1,
      element('span', { class: 'star', title: word }, star(), spoken(`${index + 1} ${index ? 'stars' : 'star'}, ${word}`)),
    ]),
  });
}

/** Several scales under one name, as {id: 1..5}. `scales` are {id, label, words}. */
export function scalesField({ name, label, scales }) {
  const fields = scales.map(scale =>
    choiceField({
      name: `${name}.${scale.id}`,
      label: scale.label,
      kind: 'scale',
      convert: Number,
      put: chosen => [String(scale.id), chosen],
      options: scale.words.map((word, index) => [
        index + 1,
        element('span', { class: 'scale-word' }, element('b', {}, String(index + 1)), element('span', {}, word)),
      ]),
    }),
  );
  const fault = element('p', { class: 'field-fault' });
  const node = element('div', { class: 'scales', role: 'group', 'aria-label': label }, fields.map(one => one.node), fault);
  return {
    node,
    value: () => ({ [name]: Object.fromEntries(fields.map(one => one.value())) }),
    check: () => fields.filter(one => one.check()).length > 0,
    answersTo: wrong => wrong === name || wrong.startsWith(`${name}.`),
    fault(message, wrong = name) {
      const one = fields.find(candidate => candidate.answersTo(wrong));
      if (one) {
        one.fault(message);
        return;
      }
      fault.textContent = message;
      if (!message) {
        fields.forEach(candidate => candidate.fault(''));
      }
    },
    focus: () => (fields.find(one => one.node.querySelector('[aria-invalid]')) ?? fields[0]).focus(),
  };
}

/** Addresses of photos, a line each. */
export function photosField({ name, most }) {
  const lines = textField({
    name,
    label: 'Photos',
    hint: `Addresses of at most ${most} pictures, one on each line.`,
    rows: 2,
    required: false,
  });
  return {
    ...lines,
    value() {
      const urls = (lines.value()[name] ?? '').split(/\s+/).filter(Boolean);
      return urls.length > 0 ? { [name]: urls } : {};
    },
  };
}
