// What lists of reviews, questions and answers share: votes, reports, and asking for more.

import { element, spoken } from './element.js';
import { confirmedButton } from './form.js';
import { RememberedIds } from './memory.js';
import { toast } from './toast.js';

/** `Helpful? Yes (3) · Report`. A browser votes once for each thing. */
export function voteLine({ kind, id, what, votes, vote, report, gone, more }) {
  const voted = new RememberedIds(`voted.${kind}`);
  const number = element('span', { class: 'votes' }, String(votes));
  const yes = element('button', { type: 'button', class: 'link vote', onclick: cast }, 'Yes', spoken(`, ${what} is helpful`), ' (', number, ')');
  const mark = () => yes.setAttribute('aria-pressed', String(voted.has(id)));
  mark();

  async function cast() {
    if (voted.has(id) || yes.hasAttribute('aria-busy')) {
      return;
    }
    yes.setAttribute('aria-busy', 'true');
    try {
      await vote();
      voted.add(id);
      number.textContent = String(Number(number.textContent) + 1);
      mark();
    } catch (error) {
      toast(error.message);
    } finally {
      yes.removeAttribute('aria-busy');
    }
  }

  async function hide() {
    try {
      await report();
      gone();
      toast(`Reported. ${kind === 'answer' ? 'The answer' : `The ${kind}`} is no longer shown.`);
    } catch (error) {
      toast(error.message);
    }
  }

  return element(
    'p',
    { class: 'talk-actions' },
    element('span', {}, 'Helpful? ', yes),
    confirmedButton({ label: 'Report', what, question: 'Hide it for everybody?', act: hide }),
    more,
  );
}

/** Takes a row out of its list. Who was there is led to the next one, else the one before, else the heading. */
export function takeOut(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling ?? row.closest('section').querySelector('h2');
  const here = row.contains(document.activeElement);
  row.remove();
  if (here) {
    next.focus();
  }
}

/** A button below a list that may have more. */
export function moreButton(label, act) {
  return element('button', { type: 'button', class: 'button button-second', hidden: true, onclick: () => act() }, label);
}
