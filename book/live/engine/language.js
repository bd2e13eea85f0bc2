/**
 * A tiny language model, as companion.neural.language: a transformer of one layer that predicts every next word, its
 * gradient by hand, and AdamW with a one-cycle rate. All arrays are flat, row by row.
 * @typedef {{words: number, width: number, heads: number, length: number, weights: Float64Array, at: Object<string, number[]>}} Model
 */
import { normals } from "./rng.js";

const EPS = 1.1920928955078125e-7; // of the root mean square, as torch in single precision

/** Where each weight lies in the flat array: name -> [start, rows, columns]. */
function layout(words, width, length) {
  const shapes = { words: [words, width], places: [length, width], attend: [width, 3 * width], back: [width, width],
    into: [width, 4 * width], bias: [1, 4 * width], out: [4 * width, width], say: [width, words] };
  let start = 0;
  const at = {};
  for (const [name, [rows, columns]] of Object.entries(shapes)) (at[name] = [start, rows, columns]), (start += rows * columns);
  return { at, size: start };
}

/**
 * A model with Gaussian weights: words and places of size 1, matrices of 1/sqrt(inputs), what is added back smaller.
 * @param {{words: number, width: number, length: number, heads?: number, uniform?: () => number}} how
 * @returns {Model} all weights 0 without `uniform`
 */
export function create({ words, width, length, heads = 2, uniform = null }) {
  const { at, size } = layout(words, width, length), weights = new Float64Array(size), normal = uniform && normals(uniform);
  const scale = { words: 1, places: 1, attend: width ** -0.5, back: (2 * width) ** -0.5, into: width ** -0.5, bias: 0, out: (8 * width) ** -0.5, say: width ** -0.5 };
  if (normal) for (const [name, [start, rows, columns]] of Object.entries(at)) for (let i = 0; i < rows * columns; i++) weights[start + i] = scale[name] * normal();
  return { words, width, heads, length, weights, at };
}

/** out (t, b) += x (t, a) W, where W (a, b) begins at `start`. */
function times(out, x, w, start, t, a, b) {
  for (let r = 0; r < t; r++) for (let i = 0; i < a; i++) {
    const value = x[r * a + i];
    if (value) for (let j = 0, from = start + i * b, to = r * b; j < b; j++) out[to + j] += value * w[from + j];
  }
  return out;
}
/** Of out = x W: dx += dout W^T and dW += x^T dout. */
function timesBack(dx, dw, dout, x, w, start, t, a, b) {
  for (let r = 0; r < t; r++) for (let i = 0; i < a; i++) {
    const value = x[r * a + i];
    let sum = 0;
    for (let j = 0, from = start + i * b, to = r * b; j < b; j++) (sum += dout[to + j] * w[from + j]), (dw[from + j] += value * dout[to + j]);
    dx[r * a + i] += sum;
  }
}
/** Rows divided by their root mean square; returns also what each was multiplied by. */
function norm(x, t, w) {
  const y = new Float64Array(t * w), by = new Float64Array(t);
  for (let r = 0; r < t; r++) {
    let square = 0;
    for (let i = 0; i < w; i++) square += x[r * w + i] ** 2;
    by[r] = 1 / Math.sqrt(square / w + EPS);
    for (let i = 0; i < w; i++) y[r * w + i] = x[r * w + i] * by[r];
  }
  return { y, by };
}
function normBack(dx, dy, { y, by }, t, w) {
  for (let r = 0; r < t; r++) {
    let inner = 0;
    for (let i = 0; i < w; i++) inner += dy[r * w + i] * y[r * w + i];
    for (let i = 0; i < w; i++) dx[r * w + i] += by[r] * (dy[r * w + i] - (y[r * w + i] * inner) / w);
  }
}

/** Everything that the forward pass makes, for `count` sentences of `length` words each. */
function forward({ words, width: w, heads, weights, at }, text, count, length) {
  const t = count * length, x = new Float64Array(t * w), size = w / heads, scale = size ** -0.5;
  for (let r = 0; r < t; r++) for (let i = 0; i < w; i++) x[r * w + i] = weights[at.words[0] + text[r] * w + i] + weights[at.places[0] + (r % length) * w + i];
  const first = norm(x, t, w), mixed = times(new Float64Array(t * 3 * w), first.y, weights, at.attend[0], t, w, 3 * w);
  const share = new Float64Array(t * heads * length), seen = new Float64Array(t * w);
  for (let r = 0; r < t; r++) for (let h = 0; h < heads; h++) { // word r looks back to the start of its sentence
    const here = r % length, start = r - here, q = r * 3 * w + h * size, row = (r * heads + h) * length;
    let most = -Infinity, sum = 0;
    for (let s = 0; s <= here; s++) {
      let score = 0;
      for (let i = 0, k = (start + s) * 3 * w + w + h * size; i < size; i++) score += mixed[q + i] * mixed[k + i];
      share[row + s] = score * scale;
      most = Math.max(most, share[row + s]);
    }
    for (let s = 0; s <= here; s++) sum += share[row + s] = Math.exp(share[row + s] - most);
    for (let s = 0; s <= here; s++) {
      share[row + s] /= sum;
      for (let i = 0, v = (start + s) * 3 * w + 2 * w + h * size; i < size; i++) seen[r * w + h * size + i] += share[row + s] * mixed[v + i];
    }
  }
  const y = times(x.slice(), seen, weights, at.back[0], t, w, w), second = norm(y, t, w);
  const hidden = new Float64Array(t * 4 * w);
  for (let r = 0; r < t; r++) hidden.set(weights.subarray(at.bias[0], at.bias[0] + 4 * w), r * 4 * w);
  times(hidden, second.y, weights, at.into[0], t, w, 4 * w);
  for (let i = 0; i < hidden.length; i++) if (hidden[i] < 0) hidden[i] = 0;
  const z = times(y.slice(), hidden, weights, at.out[0], t, 4 * w, w), last = norm(z, t, w);
  const logits = times(new Float64Array(t * words), last.y, weights, at.say[0], t, w, words);
  return { t, first, mixed, share, seen, second, hidden, last, logits };
}

/** Rows of logits turned into probabilities, in place. */
function softmax(logits, t, words) {
  for (let r = 0; r < t; r++) {
    let most = -Infinity, sum = 0;
    for (let i = 0; i < words; i++) most = Math.max(most, logits[r * words + i]);
    for (let i = 0; i < words; i++) sum += logits[r * words + i] = Math.exp(logits[r * words + i] - most);
    for (let i = 0; i < words; i++) logits[r * words + i] /= sum;
  }
  return logits;
}

/**
 * Probabilities of the word after a prompt.
 * @param {Model} model
 * @param {number[]} prompt whole numbers below `words`, at most `length` of them
 * @returns {Float64Array} (words,)
 */
export function next(model, prompt) {
  const { t, logits } = forward(model, prompt, 1, prompt.length);
  return softmax(logits, t, model.words).slice((t - 1) * model.words);
}

/**
 * Cross-entropy of every next word, summed over words and averaged over sentences; its gradient is added to `gradient`.
 * @param {Model} model
 * @param {number[][]} sentences all of the same length, one word more than the model reads
 * @param {Float64Array} gradient
 * @returns {number}
 */
export function lossAndGradient(model, sentences, gradient) {
  const { words, width: w, heads, weights, at } = model, count = sentences.length, length = sentences[0].length - 1, size = w / heads, scale = size ** -0.5;
  const text = sentences.flatMap((words) => words.slice(0, -1)), wanted = sentences.flatMap((words) => words.slice(1));
  const { t, first, mixed, share, seen, second, hidden, last, logits } = forward(model, text, count, length), g = gradient;
  const dlogits = softmax(logits, t, words);
  let loss = 0;
  for (let r = 0; r < t; r++) {
    loss -= Math.log(dlogits[r * words + wanted[r]]) / count;
    dlogits[r * words + wanted[r]] -= 1;
  }
  for (let i = 0; i < dlogits.length; i++) dlogits[i] /= count;
  const zero = (columns) => new Float64Array(t * columns), dlast = zero(w), dz = zero(w), dhidden = zero(4 * w), dsecond = zero(w);
  timesBack(dlast, g, dlogits, last.y, weights, at.say[0], t, w, words);
  normBack(dz, dlast, last, t, w);
  timesBack(dhidden, g, dz, hidden, weights, at.out[0], t, 4 * w, w);
  for (let i = 0; i < hidden.length; i++) if (hidden[i] <= 0) dhidden[i] = 0;
  for (let r = 0; r < t; r++) for (let j = 0; j < 4 * w; j++) g[at.bias[0] + j] += dhidden[r * 4 * w + j];
  timesBack(dsecond, g, dhidden, second.y, weights, at.into[0], t, w, 4 * w);
  normBack(dz, dsecond, second, t, w); // dz is now the gradient of what both branches add to
  const dseen = zero(w), dmixed = zero(3 * w), dfirst = zero(w), row = new Float64Array(length);
  timesBack(dseen, g, dz, seen, weights, at.back[0], t, w, w);
  for (let r = 0; r < t; r++) for (let h = 0; h < heads; h++) {
    const here = r % length, start = r - here, q = r * 3 * w + h * size, from = (r * heads + h) * length;
    let inner = 0;
    for (let s = 0; s <= here; s++) {
      let change = 0;
      for (let i = 0, v = (start + s) * 3 * w + 2 * w + h * size; i < size; i++) {
        change += dseen[r * w + h * size + i] * mixed[v + i];
        dmixed[v + i] += share[from + s] * dseen[r * w + h * size + i];
      }
      row[s] = change;
      inner += change * share[from + s];
    }
    for (let s = 0; s <= here; s++) {
      const change = share[from + s] * (row[s] - inner) * scale;
      for (let i = 0, k = (start + s) * 3 * w + w + h * size; i < size; i++) (dmixed[q + i] += change * mixed[k + i]), (dmixed[k + i] += change * mixed[q + i]);
    }
  }
  timesBack(dfirst, g, dmixed, first.y, weights, at.attend[0], t, w, 3 * w);
  normBack(dz, dfirst, first, t, w);
  for (let r = 0; r < t; r++) for (let i = 0; i < w; i++) (g[at.words[0] + text[r] * w + i] += dz[r * w + i]), (g[at.places[0] + (r % length) * w + i] += dz[r * w + i]);
  return loss;
}

/** How high the rate stands at a step, of at most 1: up over a tenth of the steps, then down along a cosine. */
export const oneCycle = (step, steps) => (Math.min((step + 1) / Math.max(1, 0.1 * steps), 1) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
