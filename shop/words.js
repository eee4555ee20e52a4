// Numbers, dates and prices as a reader expects them.

const dates = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'long', day: 'numeric' });
const prices = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** '2019-04-14T00:00:00.000Z' as a day. */
export function day(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? '' : dates.format(date);
}

/** '140.00' as money. */
export function money(text) {
  const amount = Number(text);
  return text === null || text === undefined || Number.isNaN(amount) ? '' : prices.format(amount);
}

/** 1 review, 2 reviews. */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}
