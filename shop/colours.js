// Colours from the words of a style's name, for drawings and swatches: 'Forest Green & Black' is both.

const WORDS = [
  ['forest green', '#2f5d46'], ['ocean blue', '#1f5f8b'], ['sky blue', '#8fc1e3'], ['desert brown', '#a47551'],
  ['hot pink', '#e0559a'], ['digital red', '#d2373c'], ['dark grey', '#55585c'], ['light grey', '#c3c6c9'],
  ['black', '#2a2a2c'], ['white', '#f4f2ee'], ['crème', '#ece0c6'], ['cream', '#ece0c6'], ['gold', '#c9a04a'],
  ['silver', '#b9bec4'], ['lila', '#a98bc9'], ['purple', '#7b4f9d'], ['pink', '#e6a1bf'], ['red', '#c23b3b'],
  ['blue', '#3a6ea5'], ['green', '#4d8058'], ['brown', '#8b6243'], ['grey', '#8b8e92'], ['gray', '#8b8e92'],
  ['orange', '#dd8238'], ['yellow', '#e3c14e'], ['beige', '#d9c7a7'], ['navy', '#27395c'], ['olive', '#77794a'],
];
const PLAIN = ['#5f7f72', '#b4785a', '#6b7a99', '#a3884f', '#8a6c84', '#5d8a94'];

/** The first two colours in a name, the second null if there is one only; a name without any gets a quiet one, always the
 * same. */
export function coloursOf(name, id = 0) {
  const text = (name ?? '').toLowerCase();
  const found = [];
  for (const part of text.split(/[&/,]| and /)) {
    const known = WORDS.find(([word]) => part.includes(word));
    if (known) {
      found.push(known[1]);
    }
  }
  const first = found[0] ?? PLAIN[Math.abs(id) % PLAIN.length];
  return [first, found[1] ?? null];
}
