// Reads {call, ...} from standard input, runs the engine, writes its answer: JSON both ways.
import { readFileSync } from "node:fs";
import * as longtail from "../../book/live/engine/longtail.js";
import * as net from "../../book/live/engine/network.js";
import { drawn, unpack } from "../../book/live/engine/symbols.js";
import { lesson } from "../../book/live/trainer.js";
import * as near from "../../book/live/engine/neighbours.js";
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
  lessons({ digits, seeds, how, known, kind, decay }) {
    const given = { digits: unpack(digits), mine: { image: drawn("183c5a18181824e7"), label: 9 }, known, kind, decay, how };
    return seeds.map((seed) => [...lesson({ ...given, seed })].at(-1).pairs);
  },
  nearest: ({ points, labels, at, k }) => at.map((place) => near.nearest(points, labels, place, k)),
  votes({ points, labels, at, k, kept }) {
    return near.orders(at, points).map((order) => near.vote(order, labels, (i) => kept[i], k));
  },
  memorized: ({ points, labels, k, size, subsets }) => ({
    exact: near.leaveOneOut(points, labels, k), ...near.rates(points, labels, { k, size, subsets, uniform: uniforms(5) }),
  }),
  wrong(state) {
    const { X, tags, receipts, stated, scale, prices, training, fresh, pairs } = learned(state);
    return { design: { ...X }, tags, receipts, stated, scale, prices, training, fresh, pairs };
  },
  normal: ({ n, seed }) => longtail.noise(n, seed),
};

const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const asked = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(({ call, ...given }) => calls[call](given)), plain));
