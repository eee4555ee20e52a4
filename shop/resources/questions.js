// Questions: the list with its answers, asking one.

import { read, write } from '../api.js';
import { element } from '../element.js';
import { textField } from '../fields.js';
import { formDialog } from '../form.js';
import { moreButton, takeOut, voteLine } from '../listing.js';
import { toast } from '../toast.js';
import { day } from '../words.js';
import { answerForm, answerList } from './answers.js';

const PAGE = 4;

const list = (product, page, count = PAGE) => read('/qa/questions', { product_id: product, page, count });
const create = question => write('POST', '/qa/questions', question);
const vote = id => write('PUT', `/qa/questions/${id}/helpful`);
const report = id => write('PUT', `/qa/questions/${id}/report`);

/** The section of a product's page. */
export function questionSection(product) {
  const items = element('ul', { class: 'talk', 'aria-label': 'Questions' });
  const more = moreButton('More questions', () => showMore());
  const failure = element('p', { class: 'form-failure', role: 'alert' });
  const forms = new Set();
  let page = 0;
  let asking = askForm();

  function askForm() {
    return formDialog({
      title: 'Ask a question',
      about: product.name,
      action: 'Publish question',
      fields: [
        textField({ name: 'body', label: 'Your question', rows: 4, longest: 10000 }),
        textField({ name: 'name', label: 'Your name', longest: 100, hint: 'Shown with your question. Better not your full name.', autocomplete: 'nickname' }),
        textField({ name: 'email', label: 'Your e-mail address', type: 'email', longest: 254, hint: 'Never shown.', autocomplete: 'email' }),
      ],
      send: values => create({ product_id: product.id, ...values }),
      done: asked,
    });
  }

  async function showMore() {
    try {
      const { results } = await list(product.id, page + 1);
      page += 1;
      failure.textContent = '';
      const known = [...items.children].map(row => row.dataset.id);
      const added = results.filter(question => !known.includes(String(question.question_id))).map(item);
      items.append(...added);
      if (page > 1) {
        (added[0] ?? items.lastElementChild)?.focus();
      }
      more.hidden = results.length < PAGE;
      if (items.children.length === 0) {
        items.append(element('li', { class: 'quiet' }, 'No questions yet.'));
      }
    } catch (error) {
      failure.textContent = error.message;
    }
  }

  // A new question has no votes and may stand pages below: it is shown on top until the page is loaded again.
  async function asked(answer) {
    asking = askForm();
    toast('Your question is published.');
    const { results } = await list(product.id, 1, 10000);
    const mine = results.find(question => question.question_id === answer?.question_id);
    if (mine) {
      items.querySelector('li.quiet')?.remove();
      items.prepend(item(mine));
      items.firstElementChild.classList.add('talk-new');
      items.firstElementChild.focus();
    }
  }

  function item(question) {
    const answers = answerList(product, question);
    const answering = () =>
      answerForm({
        product,
        question,
        done: answer => {
          forms.delete(form);
          form = answering();
          forms.add(form);
          return answers.refresh(answer?.answer_id);
        },
      });
    let form = answering();
    forms.add(form);
    const row = element(
      'li',
      { class: 'talk-item question', tabindex: '-1', 'data-id': question.question_id },
      element('h3', {}, element('span', { class: 'question-mark', 'aria-hidden': 'true' }, 'Q'), question.question_body),
      element('p', { class: 'talk-meta quiet' }, element('span', {}, question.asker_name, ' · ', element('time', { datetime: question.question_date }, day(question.question_date)))),
      voteLine({
        kind: 'question',
        id: question.question_id,
        what: `the question by ${question.asker_name}`,
        votes: question.question_helpfulness,
        vote: () => vote(question.question_id),
        report: () => report(question.question_id),
        gone: () => takeOut(row),
        more: element('button', { type: 'button', class: 'link', onclick: () => form.open() }, 'Answer'),
      }),
      answers.node,
    );
    return row;
  }

  const node = element(
    'section',
    { class: 'section', id: 'questions', 'aria-labelledby': 'questions-title' },
    element('div', { class: 'talk-head' },
      element('h2', { id: 'questions-title', tabindex: '-1' }, 'Questions and answers'),
      element('button', { type: 'button', class: 'button button-second', onclick: () => asking.open() }, 'Ask a question')),
    failure,
    items,
    more,
  );
  return {
    node,
    ready: showMore(),
    close() {
      asking.discard();
      forms.forEach(form => form.discard());
    },
  };
}
