/** Figure 1, live: fresh training sets of the paper's size, drawn and solved as one drags; stored curves stay behind. */
import { cgls, coefficients, counts, frequencies, noise, peel, sample, times } from "./engine/longtail.js";
import { mix } from "./engine/rng.js";
import { explorable, number } from "./frame.js";

const D = 10000, S = 5, EXPONENT = 0.1, COMMON = 10, DRAWS = 20, WIDE = 230, HIGH = 168;
const FRESH = "var(--companion-fresh)", ONCE = "var(--companion-once)", OFTEN = "var(--companion-common)", COMPOSITION = "var(--companion-composition)";
const beta = coefficients(D, EXPONENT), law = new Map(); // a power law of 10,000 terms is summed once
const powers = (alpha) => law.get(alpha) ?? law.set(alpha, frequencies(D, S, alpha)).get(alpha);

/** The quantities of the figure for one training set. @returns {Object} by name */
export function draw({ alpha, sigma, n }, seed) {
  const p = powers(alpha), X = sample({ n, p, seed, capacity: 2000 }), y = times(X, beta), extra = noise(n, seed);
  for (let r = 0; r < n; r++) y[r] += sigma * extra[r];
  const { b } = cgls(X, y), held = counts(X), { round } = peel(X), k = p.filter((q) => n * q >= COMMON * (1 - 1e-12)).length;
  const sums = { common: 0, once: 0, peeled: 0, tail: 0, inside: 0, head: 0 }, many = { once: 0, peeled: 0, tail: 0 };
  for (let i = 0; i < D; i++) {
    const square = (b[i] - beta[i]) ** 2;
    sums.inside += p[i] * square;
    if (i < k) (sums.common += square), (sums.head += p[i] * square);
    else if (held[i]) {
      (sums.tail += square), many.tail++;
      if (held[i] === 1) (sums.once += square), many.once++;
      if (held[i] === 1 && round[i] > 0) (sums.peeled += square), many.peeled++;
    }
  }
  const root = (sum, count) => (count ? Math.sqrt(sum / count) : 0);
  return {
    once: root(sums.once, many.once), peeled: root(sums.peeled, many.peeled), common: root(sums.common, k),
    inside: sums.inside, composition: sums.head + (2 / many.tail) * sums.tail,
  };
}

// title, unit of the axis, top of the axis at a noise, and what is drawn: [key, colour, name]
const PANELS = [
  ["Tail features seen once", "rms error", (sigma) => 0.45 + 1.5 * sigma, [["once", ONCE, "all of them"], ["peeled", FRESH, "resolved by peeling"]]],
  ["Common features", "rms error", (sigma) => 0.1 + sigma, [["common", OFTEN, ""]]],
  ["Loss in distribution", "excess loss", () => 0.5, [["inside", FRESH, ""]]],
  ["Loss on two tail features", "excess loss", (sigma) => 0.3 + 6 * sigma ** 2, [["composition", COMPOSITION, ""]]],
];

const keyOf = ({ alpha, sigma, n, seed }) => JSON.stringify([sigma, n, seed, alpha]);

/** Draws of a setting so far, at least one; those of other tail exponents at the same noise, rows and seed stay. */
function compute(state, memory) {
  memory.draws ??= new Map();
  const key = keyOf(state), own = memory.draws.get(key) ?? [];
  if (!own.length) memory.draws.set(key, [...own, draw(state, mix(state.seed, 0))]);
  const alike = [...memory.draws].map(([at, draws]) => ({ at: JSON.parse(at), draws }));
  return {
    points: alike.filter(({ at: [sigma, n, seed] }) => sigma === state.sigma && n === state.n && seed === state.seed)
      .map(({ at, draws }) => ({ alpha: at[3], ...summary(draws) })),
    here: summary(memory.draws.get(key)),
  };
}

function summary(draws) {
  const stat = (key) => {
    const mean = draws.reduce((sum, one) => sum + one[key], 0) / draws.length;
    return { mean, sd: Math.sqrt(draws.reduce((sum, one) => sum + (one[key] - mean) ** 2, 0) / Math.max(1, draws.length - 1)) };
  };
  return { count: draws.length, ...Object.fromEntries(Object.keys(draws[0]).map((key) => [key, stat(key)])) };
}

function panel([title, unit, height, lines], state, { points }) {
  const top = height(state.sigma), x = (alpha) => 34 + ((alpha - 1) / 2) * (WIDE - 44), y = (value) => HIGH - 30 - Math.min(1, Math.max(0, value / top)) * (HIGH - 50);
  const at = (alpha, value) => `${number(x(alpha), 1)} ${number(y(value), 1)}`;
  const curves = Object.values(state.curves ?? {}).flatMap((stored) => lines.filter(([key]) => stored[key]).map(([key]) =>
    `<path d="M${stored[key].map((value, j) => at(stored.alpha[j], value)).join("L")}" fill="none" stroke="currentColor" stroke-opacity="0.35" stroke-width="1.4"/>`));
  const marks = points.flatMap((point) => lines.map(([key, color]) => {
    const { mean, sd } = point[key], now = point.alpha === state.alpha, low = y(mean - sd), high = y(mean + sd);
    return `<path d="M${number(x(point.alpha), 1)} ${number(low, 1)}V${number(high, 1)}" stroke="${color}" stroke-width="5" stroke-opacity="0.28"/>` +
      `<circle cx="${number(x(point.alpha), 1)}" cy="${number(y(mean), 1)}" r="${now ? 4.5 : 2.6}" fill="${color}"/>`;
  }));
  const ticks = [1, 1.5, 2, 2.5, 3].map((alpha) => `<text x="${x(alpha)}" y="${HIGH - 15}" text-anchor="middle">${alpha}</text>`).join("");
  const names = lines.filter(([, , name]) => name).map(([, color, name], j) => `<text x="${WIDE - 8}" y="${30 + 14 * j}" text-anchor="end" fill="${color}">${name}</text>`);
  return `<figure><figcaption class="quiet-title">${title}</figcaption><svg viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label="${title} along the tail exponent">` +
    `<path d="M34 16V${HIGH - 30}H${WIDE - 8}" fill="none" stroke="currentColor" stroke-opacity="0.6"/>${ticks}<text x="30" y="${HIGH - 26}" text-anchor="end">0</text>` +
    `<text x="30" y="24" text-anchor="end">${number(top)}</text><text x="38" y="12" class="quiet">${unit}</text><text x="${WIDE - 8}" y="${HIGH - 2}" text-anchor="end" class="quiet">α</text>` +
    `<path d="M${number(x(state.alpha), 1)} 18V${HIGH - 30}" stroke="currentColor" stroke-opacity="0.25" stroke-dasharray="2 3"/>${curves.join("")}${marks.join("")}${names.join("")}</svg></figure>`;
}

const view = (state, found) => `<div class="four">${PANELS.map((one) => panel(one, state, found)).join("")}</div>`;

function say({ alpha, sigma, n }, { here }) {
  return `At α = ${number(alpha)}, σ = ${number(sigma)} and ${number(n)} rows, ${here.count === 1 ? "one draw" : `the mean of ${here.count} draws`}: ` +
    `features seen once are off by ${number(here.once.mean, 3)}, those resolved by peeling by ${number(here.peeled.mean, 3)}, common ones by ${number(here.common.mean, 3)}. ` +
    `The loss in distribution is ${number(here.inside.mean, 3)}. <span class="live-reveal">On two tail features it is ${number(here.composition.mean, 3)}.</span>`;
}

/** Once something was moved, further draws come in, one after the other, until there are twenty. */
function alive(live) {
  const { memory, soon } = live;
  let timer = null;
  const more = () => {
    const { state } = live, key = keyOf(state), own = memory.draws.get(key) ?? [];
    if (own.length < DRAWS) {
      memory.draws.set(key, [...own, draw(state, mix(state.seed, own.length))]);
      soon();
      timer = setTimeout(more, 30); // between two draws the page may answer
    } else timer = null;
  };
  memory.changed = () => {
    clearTimeout(timer);
    timer = setTimeout(more, 150); // not while a slider moves
  };
  memory.reset = () => {
    clearTimeout(timer);
    memory.draws = new Map();
  };
  if (live.shared) memory.changed();
}

export const spec = {
  name: "figure1",
  title: "Figure 1, live",
  ask: "Move the tail exponent: every stop draws fresh training sets with 10,000 features and solves them, here, in your browser.",
  start: { alpha: 2, sigma: 0.05, n: 1000 },
  controls: [
    { key: "alpha", label: "tail exponent <em>α</em>", kind: "range", min: 1, max: 3, step: 0.05, show: (a) => number(a) },
    { key: "sigma", label: "noise <em>σ</em>", kind: "range", min: 0, max: 0.2, step: 0.01, show: (s) => number(s) },
    { key: "n", label: "rows <em>n</em>", kind: "range", min: 200, max: 2000, step: 100, show: (n) => number(n) },
  ],
  draws: true,
  predict: {
    question: "Guess first: when the tail gets heavier (α falls from 2 to 1), which loss grows more?",
    choices: ["The loss in distribution", "The loss on two tail features"],
    reply: () => "Drag <em>α</em> from 2 to 1 and compare the two lower panels.",
  },
  compute, view, say, alive,
};
export default explorable(spec);
