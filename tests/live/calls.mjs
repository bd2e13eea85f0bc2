// What the tests ask of the engine, in Node (driver.mjs) and in a browser alike: JSON both ways.
import * as longtail from "../../book/live/engine/longtail.js";
import * as net from "../../book/live/engine/network.js";
import { drawn, unpack } from "../../book/live/engine/symbols.js";
import * as language from "../../book/live/engine/language.js";
import { answer, NAMES, read, speech, village } from "../../book/live/speaker.js";
import { lesson } from "../../book/live/trainer.js";
import * as near from "../../book/live/engine/neighbours.js";
import { spec as who } from "../../book/live/who.js";
import { uniforms } from "../../book/live/engine/rng.js";
import { learned } from "../../book/live/wrong.js";

const calls = {
  solve({ rows, d, y, p, beta, k, features, t, lam, steps, lr }) {
    const X = longtail.fromRows(rows, d), { b, iterations } = longtail.cgls(X, y);
    const shrunk = longtail.ridge(X, y, lam);
    return {
      b, iterations, shrunk, descended: longtail.gradientDescent(X, y, steps, lr), counts: longtail.counts(X),
      round: longtail.peel(X, k).round, step: longtail.largestStep(X), training: longtail.trainingLoss(X, y, shrunk),
      population: longtail.populationRisk(b, beta, p), composition: longtail.compositionRisk(b, beta, features, t),
      certificates: d <= 200 ? longtail.certificates(X) : null,
    };
  },
  frequencies: ({ d, s, alpha, exponent }) => [longtail.frequencies(d, s, alpha), longtail.coefficients(d, exponent)],
  sample: ({ n, d, s, alpha, seeds, capacity }) =>
    seeds.map((seed) => {
      const X = longtail.sample({ n, p: longtail.frequencies(d, s, alpha), seed, capacity });
      return { start: X.start, row: X.row, value: X.value };
    }),
  gradient({ kind, pixels, hidden, weights, triples, sums, decay, rate, steps }) {
    const made = { kind, pixels, hidden, weights: Float64Array.from(weights) }, size = weights.length;
    const gradient = new Float64Array(size), mean = new Float64Array(size), square = new Float64Array(size);
    const loss = net.lossAndGradient(made, triples, sums, gradient), first = Array.from(gradient);
    for (let step = 1; step <= steps; step++) {
      net.lossAndGradient(made, triples, sums, gradient);
      net.adamw(made.weights, gradient, mean, square, step, rate, decay);
    }
    return { loss, gradient: first, weights: made.weights, predicted: net.predict(made, triples) };
  },
  speaks({ words, width, weights, sentences, decay, rate, steps }) {
    const model = language.create({ words, width, length: sentences[0].length }), size = model.weights.length;
    model.weights.set(weights);
    const mean = new Float64Array(size), square = new Float64Array(size), gradient = new Float64Array(size);
    const loss = language.lossAndGradient(model, sentences, gradient), said = sentences.map((s) => language.next(model, s.slice(0, -1)));
    for (let step = 1; step <= steps; step++) {
      const now = new Float64Array(size);
      language.lossAndGradient(model, sentences, now);
      net.adamw(model.weights, now, mean, square, step, rate, decay, 0.98);
    }
    return { loss, gradient, said, weights: model.weights };
  },
  villages: ({ seeds, who, times, width }) => seeds.map((seed) => {
    let last;
    for (const step of speech({ seed, who, times, width })) last = step;
    const world = village({ seed, who, times }), once = NAMES.slice(20).map((name) => answer(last.model, read(name), world).right);
    const told = answer(last.model, read(`${NAMES[who]} lives in?`), world).right, { newRight, newAny } = answer(last.model, read("the robots"), world);
    return { told, once: once.reduce((a, b) => a + b) / once.length, plural: newRight / newAny };
  }),
  lessons({ digits, seeds, how, known, kind, decay }) {
    const given = { digits: unpack(digits), mine: { image: drawn("183c5a18181824e7"), label: 9 }, known, kind, decay, how };
    return seeds.map((seed) => [...lesson({ ...given, seed })].at(-1).pairs);
  },
  nearest: ({ points, labels, at, k }) => at.map((place) => near.nearest(points, labels, place, k)),
  votes({ points, labels, at, k, kept }) {
    return near.orders(at, points).map((order) => near.vote(order, labels, kept, k));
  },
  moved({ before, after, labels, at, k, state, other }) {
    const found = (points, earlier) => near.orders(points, points, earlier), was = { places: before, points: before, orders: found(before) };
    const memory = {}, fresh = who.compute(state, {});
    who.compute(other, memory);
    return { orders: found(after, was), regions: near.regions(after, labels, at, k), kept: who.compute(state, memory), fresh };
  },
  memorized: ({ points, labels, k, size, subsets }) => ({
    exact: near.leaveOneOut(points, labels, k), ...near.rates(near.orders(points, points), labels, { k, size, subsets, uniform: uniforms(5) }),
  }),
  wrong(state) {
    const { X, tags, receipts, stated, scale, prices, training, fresh, pairs } = learned(state);
    return { design: { ...X }, tags, receipts, stated, scale, prices, training, fresh, pairs };
  },
  normal: ({ n, seed }) => longtail.noise(n, seed),
};

const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);

/** @param {string} asked a list of {call, ...} @returns {string} the answers */
export const answers = (asked) => JSON.stringify(JSON.parse(asked).map(({ call, ...given }) => calls[call](given)), plain);
