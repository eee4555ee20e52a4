// Answers to a question: the list, writing one.

import { read, write } from '../api.js';
import { element } from '../element.js';
import { photosField, textField } from '../fields.js';
import { formDialog } from '../form.js';
import { voteLine } from '../listing.js';
import { toast } from '../toast.js';
import { day } from '../words.js';
import { photoRow } from './reviews.js';

const SHOWN_AT_FIRST = 2;

const list = question => read(`/qa/questions/${question}/answers`, { page: 1, count: 10000 });
const create = (question, answer) => write('POST', `/qa/questions/${question}/answers`, answer);
const vote = id => write('PUT', `/qa/answers/${id}/helpful`);
const report = id => write('PUT', `/qa/answers/${id}/report`);

/** A question's answers: `node`, and `refresh(id)`, which shows them anew and leads to one of them. */
export function answerList(product, question) {
  const node = element('div', { class: 'answers' });
  let expanded = false;
  let answers = Object.values(question.answers)
    .map(answer => ({ ...answer, answer_id: answer.id }))
    .sort((one, other) => other.helpfulness - one.helpfulness || one.answer_id - other.answer_id);

  function show() {
    const shown = expanded ? answers : answers.slice(0, SHOWN_AT_FIRST);
    const rest = answers.length - shown.length;
    const items = element('ul', { class: 'talk', 'aria-label': 'Answers' }, shown.map(answer => item(answer)));
    const all = rest > 0 && element('button', { type: 'button', class: 'link', onclick: expand }, `Show ${rest} more ${rest === 1 ? 'answer' : 'answers'}`);
    node.replaceChildren(...[answers.length > 0 && items, all].filter(Boolean));
  }

  function expand() {
    expanded = true;
    show();
    node.querySelectorAll('.talk-item')[SHOWN_AT_FIRST]?.focus();
  }

  function item(answer) {
    const row = element(
      'li',
      { class: 'talk-item', tabindex: '-1', 'data-id': answer.answer_id },
      element('p', { class: 'talk-body' }, answer.body),
      // Here they are addresses, in the list of one question's answers they are objects.
      photoRow(answer.photos.map(one => one.url ?? one), product),
      element('p', { class: 'talk-meta quiet' }, element('span', {}, answer.answerer_name, ' · ', element('time', { datetime: answer.date }, day(answer.date)))),
      voteLine({
        kind: 'answer',
        id: answer.answer_id,
        what: `the answer by ${answer.answerer_name}`,
        votes: answer.helpfulness,
        vote: () => vote(answer.answer_id),
        report: () => report(answer.answer_id),
        gone() {
          const place = [...node.querySelectorAll('.talk-item')].indexOf(row);
          const here = row.contains(document.activeElement);
          answers = answers.filter(other => other !== answer);
          show();
          if (here) {
            // The next one, else the one before, else the question.
            const left = node.querySelectorAll('.talk-item');
            (left[place] ?? left[left.length - 1] ?? node.closest('.talk-item'))?.focus();
          }
        },
      }),
    );
    return row;
  }

  show();
  return {
    node,
    async refresh(id) {
      ({ results: answers } = await list(question.question_id));
      expanded = true;
      show();
      const mine = node.querySelector(`[data-id="${id}"]`);
      mine?.classList.add('talk-new');
      mine?.focus();
    },
  };
}

/** A dialog for an answer. */
export function answerForm({ product, question, done }) {
  return formDialog({
    title: 'Answer a question',
    about: `${product.name}: ${question.question_body}`,
    action: 'Publish answer',
    fields: [
      textField({ name: 'body', label: 'Your answer', rows: 4, longest: 10000 }),
      photosField({ name: 'photos', most: 5 }),
      textField({ name: 'name', label: 'Your name', longest: 100, hint: 'Shown with your answer. Better not your full name.', autocomplete: 'nickname' }),
      textField({ name: 'email', label: 'Your e-mail address', type: 'email', longest: 254, hint: 'Never shown.', autocomplete: 'email' }),
    ],
    send: values => create(question.question_id, values),
    done(answer) {
      toast('Your answer is published.');
      return done(answer);
    },
  });
}
