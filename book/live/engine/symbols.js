/** The task of "Draw a symbol": sums of three small images, most of them digits, a few symbols seen once each. */
import { mix, shuffled, uniforms } from "./rng.js";

export const SIDE = 8, PIXELS = SIDE * SIDE, SYMBOLS = 5;

/**
 * Images from text: for each, its label and 64 pixels of 4 bits, in base 64.
 * @param {string} text
 * @returns {{image: Float64Array, label: number}[]}
 */
export function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0)), each = 1 + PIXELS / 2;
  return Array.from({ length: bytes.length / each }, (_, i) => ({
    label: bytes[i * each],
    image: Float64Array.from({ length: PIXELS }, (_, j) => ((bytes[i * each + 1 + (j >> 1)] >> (j % 2 ? 0 : 4)) & 15) / 15),
  }));
}

/**
 * A symbol that the page drew: three strokes between random places, soft at the edge.
 * @param {number} seed
 * @returns {Float64Array}
 */
export function symbol(seed) {
  const uniform = uniforms(seed), place = () => 0.5 + 6 * uniform();
  const strokes = Array.from({ length: 3 }, () => [place(), place(), place(), place()]);
  return Float64Array.from({ length: PIXELS }, (_, j) => {
    const x = j % SIDE, y = Math.floor(j / SIDE);
    return Math.max(...strokes.map(([a, b, c, d]) => {
      const t = Math.min(1, Math.max(0, ((x - a) * (c - a) + (y - b) * (d - b)) / ((c - a) ** 2 + (d - b) ** 2 || 1)));
      return Math.min(1, Math.max(0, 1.4 - Math.hypot(x - a - t * (c - a), y - b - t * (d - b))));
    }));
  });
}

/** The reader's symbol, 64 cells in 16 hexadecimal digits, as an image. @param {string} cells @returns {Float64Array} */
export const drawn = (cells) => Float64Array.from({ length: PIXELS }, (_, j) => (parseInt(cells[j >> 2], 16) >> (3 - (j % 4))) & 1);

/** The page's own symbols and their numbers. @param {number} seed */
export function others(seed) {
  const values = shuffled(10, uniforms(mix(seed, 5)));
  return Array.from({ length: SYMBOLS }, (_, j) => ({ image: symbol(mix(seed, 100 + j)), label: values[j] }));
}

/**
 * Training triples (each symbol in exactly one of them) and three tests.
 * @param {{digits: {image: Float64Array, label: number}[], mine: {image: Float64Array, label: number}, known: boolean,
 *   seed: number, triples: number, images?: number}} how known: whether the reader's symbol is in its one training
 *   triple; images: how many different digits are trained on, at most three quarters of all
 * @returns {{train: {x: Float64Array[], y: number[]}, digits: {x: Float64Array[], y: number[]},
 *   pairs: {x: Float64Array[], y: number[]}}} pairs: the reader's symbol with each other one and a digit of the training, four times: what is new is the pair alone
 */
export function task({ digits, mine, known, seed, triples, images = 1e9 }) {
  const uniform = uniforms(mix(seed, 9)), kept = Math.min(images, Math.floor(digits.length * 0.75));
  const old = () => digits[Math.floor(uniform() * kept)], fresh = () => digits[kept + Math.floor(uniform() * (digits.length - kept))];
  const made = { train: { x: [], y: [] }, digits: { x: [], y: [] }, pairs: { x: [], y: [] } };
  const add = (to, images) => {
    const order = shuffled(3, uniform), x = new Float64Array(3 * PIXELS);
    order.forEach((from, slot) => x.set(images[from].image, slot * PIXELS));
    to.x.push(x);
    to.y.push(images.reduce((sum, { label }) => sum + label, 0));
  };
  for (let t = 0; t < triples; t++) add(made.train, [old(), old(), old()]);
  const symbols = others(seed);
  for (const one of [...symbols, ...(known ? [mine] : [])]) add(made.train, [one, old(), old()]);
  for (let t = 0; t < 100; t++) add(made.digits, [fresh(), fresh(), fresh()]);
  for (let t = 0; t < 4; t++) for (const one of symbols) add(made.pairs, [mine, one, old()]);
  return made;
}
