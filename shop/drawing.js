// What stands in for a photo: the kind of thing, drawn in the style's colours.

import { coloursOf } from './colours.js';
import { drawn } from './element.js';

// Each shape is parts of [path, paint]: `body` and `trim` are filled in the style's colours, `line` is only drawn.
const JACKET = [
  ['M72 52 52 62 34 128 52 134 62 100V158H138V100L148 134 166 128 148 62 128 52 116 46H84Z', 'body'],
  ['M84 46 100 68 116 46 108 42H92Z', 'trim'],
  ['M100 68V158M76 118H90M110 118H124M62 100 66 84M138 100 134 84', 'line'],
];
const PANTS = [
  ['M70 40H130L140 164H112L100 84 88 164H60Z', 'body'],
  ['M70 40H130L131 52H69Z', 'trim'],
  ['M100 52V84M76 56Q78 70 68 72M124 56Q122 70 132 72', 'line'],
];
const SHOE = [
  ['M34 126Q36 96 44 84L70 90Q84 112 118 118 158 120 168 138L34 140Z', 'body'],
  ['M32 138H168Q172 150 166 152H76L72 148H32Z', 'trim'],
  ['M70 90Q64 100 66 116M82 100 92 94M90 107 100 100M100 113 109 106M118 118Q126 126 124 138', 'line'],
];
const TRAINER = [
  ['M30 132 36 82Q52 92 66 76L78 72Q90 104 124 112 164 116 170 136Z', 'body'],
  ['M28 132H170Q178 150 164 152H36Q26 152 28 132Z', 'trim'],
  ['M78 88 90 80M84 97 97 90M93 106 106 99M36 82Q38 110 34 132M112 132Q96 118 62 116', 'line'],
];
const SUNGLASSES = [
  ['M28 84H92Q94 124 62 126 32 126 28 84ZM108 84H172Q168 126 138 126 106 124 108 84Z', 'body'],
  ['M20 76H180V86H20ZM92 86Q100 92 108 86V98Q100 92 92 98Z', 'trim'],
  ['M42 94 56 112M52 94 60 104M122 94 136 112M132 94 140 104', 'line'],
];
const SCARF = [
  ['M66 52Q100 84 134 52L142 68Q120 92 108 92L104 160H74L82 94Q68 88 58 68Z', 'body'],
  ['M104 92 126 90 138 146 112 152Z', 'trim'],
  ['M76 148H104M78 132H105M110 110 130 107M113 126 134 122M66 52Q100 84 134 52', 'line'],
];
const BERET = [
  ['M38 108Q34 70 92 62 150 56 166 96 172 120 128 124 84 130 56 124 40 120 38 108Z', 'body'],
  ['M62 118Q100 130 140 116L138 130Q100 144 66 132Z', 'trim'],
  ['M98 62 102 48M56 104Q76 84 112 80', 'line'],
];
const BELT = [
  ['M28 92H172V116H28Z', 'body'],
  ['M84 84H124V124H84ZM94 94V114H114V94Z', 'trim'],
  ['M114 104H98M136 104H138M146 104H148M156 104H158M36 98H76M36 110H76', 'line'],
];
const BAG = [
  ['M56 76H144L154 160H46Z', 'body'],
  ['M56 76H144L145 88H55Z', 'trim'],
  ['M78 92V62Q78 42 100 42 122 42 122 62V92M64 148H136', 'line'],
];
// What a thing is called says more than where it is listed.
const KINDS = [
  [/sunglasses|\bshades|glasses/i, SUNGLASSES],
  [/scarf|shawl/i, SCARF],
  [/b[eé]ret|\bhat\b|\bcap\b/i, BERET],
  [/\bbelt\b/i, BELT],
  [/onesie|parka|breaker|blazer|jacket|coat|shirt|hoodie/i, JACKET],
  [/trousers|joggers|slacks|jeans|pants|shorts/i, PANTS],
  [/trainers|high tops|runners|sneakers|kicks/i, TRAINER],
  [/oxfords|loafers|derbys|boots|shoes/i, SHOE],
];
// Several photos of one thing are several looks at it.
const LOOKS = ['0 0 200 200', '26 30 118 118', '64 56 112 112', '-26 -22 252 252'];

/** A drawing of a product in a style: `kind` are words that say what it is, the likeliest first; `look` tells several of
 * one thing apart. */
export function drawing({ kind = [], style, id, look = 0 }) {
  const [body, trim] = coloursOf(style, id);
  const shape = kind.map(word => KINDS.find(([words]) => words.test(word))?.[1]).find(Boolean) ?? BAG;
  const turned = look % 2 === 1 ? { transform: 'matrix(-1 0 0 1 200 0)' } : {};
  const picture = drawn(
    'svg',
    { class: 'drawing', viewBox: LOOKS[look % LOOKS.length], 'aria-hidden': 'true', focusable: 'false' },
    drawn('ellipse', { class: 'drawing-shade', cx: 100, cy: 166, rx: 62, ry: 5 }),
    drawn('g', turned, shape.map(([d, paint]) => drawn('path', { d, class: `drawing-${paint}` }))),
  );
  picture.style.setProperty('--body', body);
  if (trim) {
    picture.style.setProperty('--trim', trim);
  }
  return picture;
}
