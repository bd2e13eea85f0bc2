/**
 * A small network that reads three images and says the sum of their numbers, with AdamW.
 *
 * `sum`: one encoder for every image, f = sum_j (v . relu(W x_j + a) + c): no weight sees two images.
 * `cross`: one encoder for the three images side by side, f = v . relu(W [x_1 x_2 x_3] + a) + c.
 * @typedef {{kind: "sum" | "cross", pixels: number, hidden: number, weights: Float64Array}} Network
 * weights: W (inputs by hidden: a dark pixel's row is passed over), a (hidden), v (hidden), c (1), one after the other.
 */
import { shuffled, uniforms } from "./rng.js";

const SLOTS = 3;
const parts = ({ kind }) => (kind === "sum" ? SLOTS : 1); // encodings that are added up
const inputs = ({ kind, pixels }) => (kind === "sum" ? pixels : SLOTS * pixels);

/**
 * A network with uniform weights in +-1/sqrt(inputs of the layer), as torch's Linear has them.
 * @param {"sum" | "cross"} kind
 * @param {number} pixels
 * @param {number} hidden
 * @param {number} seed
 * @returns {Network}
 */
export function network(kind, pixels, hidden, seed) {
  const net = { kind, pixels, hidden, weights: null };
  const size = inputs(net), uniform = uniforms(seed), first = hidden * (size + 1);
  net.weights = Float64Array.from({ length: first + hidden + 1 }, (_, w) =>
    (2 * uniform() - 1) / Math.sqrt(w < first ? size : hidden));
  return net;
}

/**
 * Predicted sums.
 * @param {Network} net
 * @param {ArrayLike<number>[]} triples each of 3 * pixels numbers, the three images one after the other
 * @returns {Float64Array}
 */
export function predict(net, triples) {
  const kept = new Float64Array(parts(net) * net.hidden);
  return Float64Array.from(triples, (x) => forward(net, x, kept));
}

/** The output for one triple; what each hidden unit of each part said goes into `kept`. */
function forward(net, x, kept) {
  const { hidden, weights } = net, size = inputs(net), a = hidden * size, v = a + hidden, c = v + hidden;
  let out = 0;
  for (let part = 0; part < parts(net); part++) {
    const at = part * hidden;
    for (let h = 0; h < hidden; h++) kept[at + h] = weights[a + h];
    for (let j = 0; j < size; j++) {
      const light = x[part * size + j];
      if (light !== 0) for (let h = 0, w = j * hidden; h < hidden; h++) kept[at + h] += weights[w + h] * light;
    }
    out += weights[c];
    for (let h = 0; h < hidden; h++) {
      if (kept[at + h] < 0) kept[at + h] = 0;
      out += weights[v + h] * kept[at + h];
    }
  }
  return out;
}

/**
 * The mean squared error over a batch, and its gradient into `gradient` (overwritten).
 * @param {Network} net
 * @param {ArrayLike<number>[]} triples
 * @param {ArrayLike<number>} sums
 * @param {Float64Array} gradient as many numbers as weights
 * @returns {number}
 */
export function lossAndGradient(net, triples, sums, gradient) {
  const { hidden, weights } = net, size = inputs(net), a = hidden * size, v = a + hidden, c = v + hidden;
  const kept = new Float64Array(parts(net) * hidden), back = new Float64Array(hidden);
  gradient.fill(0);
  let loss = 0;
  for (let b = 0; b < triples.length; b++) {
    const x = triples[b], error = forward(net, x, kept) - sums[b], slope = (2 * error) / triples.length;
    loss += error ** 2 / triples.length;
    for (let part = 0; part < parts(net); part++) {
      gradient[c] += slope;
      for (let h = 0; h < hidden; h++) {
        const said = kept[part * hidden + h];
        gradient[v + h] += slope * said;
        back[h] = said > 0 ? slope * weights[v + h] : 0;
        gradient[a + h] += back[h];
      }
      for (let j = 0; j < size; j++) {
        const light = x[part * size + j];
        if (light !== 0) for (let h = 0, w = j * hidden; h < hidden; h++) gradient[w + h] += back[h] * light;
      }
    }
  }
  return loss;
}

/**
 * AdamW (decay decoupled from the gradient) with a cosine to zero, batch by batch.
 * @param {Network} net trained in place
 * @param {ArrayLike<number>[]} triples
 * @param {ArrayLike<number>} sums
 * @param {{epochs: number, batch: number, lr: number, decay: number, seed: number}} how
 * @returns {Generator<{epoch: number, loss: number}>} one value an epoch: whoever runs it decides when to go on
 */
export function* train(net, triples, sums, { epochs, batch, lr, decay, seed }) {
  const uniform = uniforms(seed), count = net.weights.length, { weights } = net;
  const gradient = new Float64Array(count), mean = new Float64Array(count), square = new Float64Array(count);
  const batches = Math.ceil(triples.length / batch), total = epochs * batches;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(triples.length, uniform);
    let loss = 0;
    for (let at = 0; at < batches; at++) {
      const chosen = Array.from(order.subarray(at * batch, (at + 1) * batch));
      loss += lossAndGradient(net, chosen.map((i) => triples[i]), chosen.map((i) => sums[i]), gradient) / batches;
      const rate = (lr / 2) * (1 + Math.cos((Math.PI * step) / total));
      step++;
      adamw(weights, gradient, mean, square, step, rate, decay);
    }
    yield { epoch: epoch + 1, loss };
  }
}

/**
 * One step of AdamW with torch's defaults (0.9, 0.999, 1e-8) unless told otherwise, in place.
 * @param {Float64Array} weights
 * @param {Float64Array} gradient
 * @param {Float64Array} mean running mean of the gradient
 * @param {Float64Array} square running mean of its square
 * @param {number} step 1, 2, ...
 * @param {number} rate
 * @param {number} decay
 * @param {number} [keep] of the running mean of squares
 */
export function adamw(weights, gradient, mean, square, step, rate, decay, keep = 0.999) {
  const first = 1 - 0.9 ** step, second = 1 - keep ** step;
  for (let w = 0; w < weights.length; w++) {
    const g = gradient[w];
    mean[w] = 0.9 * mean[w] + 0.1 * g;
    square[w] = keep * square[w] + (1 - keep) * g * g;
    weights[w] -= rate * (decay * weights[w] + mean[w] / first / (Math.sqrt(square[w] / second) + 1e-8));
  }
}
