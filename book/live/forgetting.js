/** Forgetting: what ridge or early stopping leaves of each coefficient, by how often its feature was seen. */
import { cgls, coefficients, compositionRisk, frequencies, gradientDescent, largestStep, noise, onlySeen, populationRisk, sample, times, trainingLoss } from "./engine/longtail.js";
import { mix, uniforms } from "./engine/rng.js";
import { explorable, number, player } from "./frame.js";

const N = 1000, D = 10000, S = 5, EXPONENT = 0.1, WIDE = 460, HIGH = 230;
const LOSSES = [["training", "training data", "var(--companion-training)"], ["fresh", "fresh data", "var(--companion-fresh)"], ["pair", "two features seen once", "var(--companion-composition)"]];

/** The slider goes from nothing forgotten to nearly all, on a logarithmic scale: n lambda up, or training time down. */
const penalty = (f) => (f === 0 ? 0 : 10 ** (-2.5 + 4.5 * f));
const steps = (f) => Math.round(10 ** (3.5 - 3.2 * f));

/** One training set, kept while only the slider moves. */
function training({ alpha, sigma, seed }, memory) {
  const key = `${alpha} ${sigma} ${seed}`;
  if (memory.key !== key) {
    const p = frequencies(D, S, alpha), beta = coefficients(D, EXPONENT), X = sample({ n: N, p, seed: mix(seed, 21) });
    const y = times(X, beta), extra = noise(N, mix(seed, 22)), { part, seen } = onlySeen(X);
    for (let r = 0; r < N; r++) y[r] += sigma * extra[r];
    const held = seen.map((i) => X.start[i + 1] - X.start[i]), uniform = uniforms(seed);
    memory.kept = { p, beta, part, seen, held, y, lr: 0.9 * largestStep(part), shake: seen.map(uniform) };
    memory.key = key;
  }
  return memory.kept;
}

function compute(state, memory) {
  const set = training(state, memory), { p, beta, part, seen, held, y, lr } = set, stopped = state.how === "stop";
  const fit = stopped ? gradientDescent(part, y, steps(state.f), lr) : cgls(part, y, penalty(state.f)).b;
  const b = new Float64Array(D), once = seen.filter((_, j) => held[j] === 1);
  seen.forEach((i, j) => (b[i] = fit[j]));
  return {
    ...set, playing: memory.playing, once: once.length,
    share: seen.map((i) => b[i] / beta[i]),
    kept: once.reduce((sum, i) => sum + b[i] / beta[i], 0) / once.length,
    alone: (m) => (stopped ? 1 - (1 - (2 * lr * m) / N) ** steps(state.f) : m / (m + penalty(state.f))),
    losses: { training: trainingLoss(part, y, fit), fresh: populationRisk(b, beta, p), pair: compositionRisk(b, beta, once, 2) },
  };
}

function view(state, { seen, held, share, shake, alone, losses, playing }) {
  const x = (m) => 40 + (Math.log(m) / Math.log(N)) * (WIDE - 60), y = (v) => HIGH - 36 - Math.min(1.35, Math.max(-0.15, v)) * 128;
  const marks = seen.map((_, j) => {
    const at = x(held[j]) + (shake[j] - 0.5) * (held[j] < 10 ? 9 : 3);
    return `M${number(at, 1)} ${number(y(0), 1)}V${number(y(share[j]), 1)}`;
  }).join("");
  const dots = seen.map((_, j) => `M${number(x(held[j]) + (shake[j] - 0.5) * (held[j] < 10 ? 9 : 3), 1)} ${number(y(share[j]), 1)}h.01`).join("");
  const curve = Array.from({ length: 41 }, (_, j) => `${number(x(N ** (j / 40)), 1)} ${number(y(alone(N ** (j / 40))), 1)}`).join("L");
  const ticks = [1, 3, 10, 30, 100, 300, 1000].map((m) => `<text x="${number(x(m), 1)}" y="${HIGH - 15}" text-anchor="middle">${m}</text>`).join("");
  const bars = LOSSES.map(([key, label, hue]) =>
    `<div class="loss-bar"><span>${label}</span><div class="track"><i style="width:${number(100 * Math.min(1, Math.sqrt(losses[key])))}%;background:${hue}"></i></div><span>${number(losses[key], 4)}</span></div>`).join("");
  return `<div class="forgetting-stage"><svg viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label="Share of each coefficient that is kept, by how often its feature was seen">` +
    `<path d="M40 ${y(1)}H${WIDE - 10}" stroke="currentColor" stroke-opacity="0.25"/><path d="M40 14V${HIGH - 36}M40 ${y(0)}H${WIDE - 10}" stroke="currentColor" stroke-opacity="0.6" fill="none"/>` +
    `<text x="34" y="${y(1) + 4}" text-anchor="end">1</text><text x="34" y="${y(0) + 4}" text-anchor="end">0</text><text x="44" y="14" class="quiet">share of the coefficient kept</text>` +
    `${ticks}<text x="${WIDE - 10}" y="${HIGH - 3}" text-anchor="end" class="quiet">rows that hold the feature</text>` +
    `<path d="${marks}" stroke="currentColor" stroke-opacity="0.28" stroke-width="1.2" fill="none"/><path d="${dots}" stroke="currentColor" stroke-opacity="0.75" stroke-width="5" stroke-linecap="round" fill="none"/>` +
    `<path d="M${curve}" fill="none" stroke="currentColor" stroke-dasharray="5 4" stroke-width="1.4"/></svg>` +
    `<div><p class="quiet-title">squared error (length of a bar: its square root)</p>${bars}<p class="pad-buttons"><button type="button" class="go" data-act="play">${playing ? "Pause" : "Play"}</button></p></div></div>`;
}

function say({ how, f }, { kept, losses, once }) {
  const dial = how === "ridge" ? (f ? `At nλ = ${dialled(f)}` : "Without a penalty") : `After ${number(steps(f))} steps of gradient descent`;
  return `${dial}, the ${once} features seen once keep ${number(100 * kept, 0)}% of their coefficients on average. The loss is ${number(losses.training, 4)} on training data and ` +
    `${number(losses.fresh, 4)} on fresh data. <span class="live-reveal">On two features seen once it is ${number(losses.pair, 4)}.</span>`;
}
const dialled = (f) => (penalty(f) < 0.1 ? number(penalty(f), 3) : number(penalty(f), penalty(f) < 10 ? 2 : 0));

/** Playing moves the slider from where it is to its end, or from its beginning if it stands there: ten seconds. */
function alive(live) {
  const step = () => (live.state.f >= 1 ? null : { f: Math.min(1, Math.round(100 * live.state.f + 1) / 100) });
  player(live, 100, step, () => live.state.f >= 1 && live.change({ f: 0 }));
}

export const spec = {
  name: "forgetting",
  title: "Forgetting what was seen once",
  ask: "Turn up forgetting, by a penalty or by stopping earlier, or press Play, and compare the three errors.",
  start: { how: "ridge", f: 0, alpha: 2, sigma: 0 },
  controls: [
    { key: "f", label: "forget", kind: "range", min: 0, max: 1, step: 0.01, show: (f, { how }) => (how === "stop" ? `${number(steps(f))} steps` : `nλ = ${dialled(f)}`) },
    { key: "how", label: "by", kind: "choice", options: [["ridge", "ridge"], ["stop", "early stopping"]] },
    { key: "alpha", label: "tail exponent <em>α</em>", kind: "range", min: 1.2, max: 3, step: 0.05, show: (a) => number(a) },
    { key: "sigma", label: "noise <em>σ</em>", kind: "range", min: 0, max: 0.3, step: 0.01, show: (s) => number(s) },
  ],
  draws: true,
  predict: {
    question: "Guess first: when features seen once have lost half of their coefficients, what has become of the training error?",
    choices: ["It has risen as much as that of the pairs", "It has risen far less"],
    reply: () => "Turn <em>forget</em> to nλ = 1, where half is gone, and compare the bars.",
  },
  compute, view, say, alive,
  act: (_state, _what, _found, memory) => void memory.play?.(),
  phrases: (_, { kept, losses }) => ({ kept: `${number(100 * kept, 0)}%`, training: number(losses.training, 4), pair: number(losses.pair, 4) }),
};
export default explorable(spec);
