/** Grow a tail: a small training set as a dot matrix, its features counted and set beside what theory expects. */
import { certificates, counts, frequencies, sample } from "./engine/longtail.js";
import { explorable, number } from "./frame.js";

const MOST = 120, WIDE = 720, HIGH = 260;
const KINDS = [["once", "once", "var(--companion-once)"], ["more", "more often", "var(--companion-common)"], ["never", "never", "var(--companion-never)"]];

function compute({ n, d, alpha, s, seed }) {
  const p = frequencies(d, s, alpha), X = sample({ n, p, seed, capacity: MOST }), held = counts(X), { P } = certificates(X);
  const kind = Array.from(held, (c) => (c === 0 ? "never" : c === 1 ? "once" : "more"));
  const found = { X, kind, resolved: Array.from(P, (certificate) => certificate > 1 - 1e-8), p };
  const expected = { never: 0, once: 0 };
  for (const q of p) {
    expected.never += (1 - q) ** n;
    expected.once += n * q * (1 - q) ** (n - 1);
  }
  expected.more = d - expected.never - expected.once;
  const total = (which) => kind.filter(which).length;
  return {
    ...found, expected,
    count: Object.fromEntries(KINDS.map(([key]) => [key, total((k) => k === key)])),
    known: Object.fromEntries(KINDS.map(([key]) => [key, total((k, i) => k === key && found.resolved[i])])),
  };
}

function view({ n, d }, { X, kind, resolved, count, known, expected }) {
  const x = WIDE / d, y = HIGH / n, size = Math.min(9, Math.max(5.5, 0.8 * Math.min(x, y))), paths = {};
  for (let i = 0; i < d; i++) {
    const name = kind[i] + (resolved[i] ? "" : " open");
    for (let e = X.start[i]; e < X.start[i + 1]; e++) {
      (paths[name] ??= []).push(`M${number((i + 0.5) * x, 1)} ${number((X.row[e] + 0.5) * y, 1)}h.01`);
    }
    // under the matrix, a tick for every feature: also those that never came
    (paths[name + " tick"] ??= []).push(`M${number((i + 0.5) * x, 1)} ${HIGH + 6}v10`);
  }
  const color = Object.fromEntries(KINDS.map(([key, , hue]) => [key, hue]));
  const drawn = Object.entries(paths).map(([name, path]) => {
    const [key] = name.split(" "), open = name.includes("open") && key !== "never", tick = name.includes("tick");
    return `<path d="${path.join("")}" fill="none" stroke="${color[key]}" stroke-width="${number(tick ? Math.max(1, x * 0.7) : size)}" ` +
      `stroke-linecap="${tick ? "butt" : "round"}" stroke-opacity="${key === "never" || open ? 0.38 : 1}"/>`;
  }).join("");
  const bars = KINDS.map(([key, label, hue]) => {
    const share = (c) => number((100 * c) / d, 2);
    const inside = key === "never" ? "" : `<i style="width:${share(known[key])}%;background:${hue}"></i>`;
    return `<div class="tail-bar"><span>${label}</span><div class="track"><i class="pale" style="width:${share(count[key])}%;background:${hue}"></i>${inside}` +
      `<b style="left:${share(expected[key])}%"></b></div><span>${count[key]}</span><span>${number(expected[key], 1)}</span></div>`;
  }).join("");
  return `<p class="quiet-title">each row a training example; features from common (left) to rare (right)</p>` +
    `<svg viewBox="0 0 ${WIDE} ${HIGH + 18}" role="img" aria-label="Training set of ${n} rows and ${d} features">${drawn}</svg>` +
    `<div class="tail-bars"><div class="tail-bar quiet-title"><span>seen</span><span>full colour: the rows determine it</span><span>now</span><span>theory</span></div>${bars}</div>`;
}

function say({ d }, { count, known, expected }) {
  const seen = count.once + count.more;
  return `Of ${d} features, ${count.never} occur in no row, ${count.once} in exactly one and ${count.more} in more; theory expects ` +
    `${number(expected.never, 1)}, ${number(expected.once, 1)} and ${number(expected.more, 1)}. ` +
    `The rows determine ${known.once + known.more} of the ${seen} seen features, and ${known.once} of the ${count.once} seen once.`;
}

export const spec = {
  name: "tail",
  title: "Grow a tail",
  ask: "Move the four numbers of the model, and watch which features are seen never, once, or more often.",
  start: { n: 60, d: 100, alpha: 1.2, s: 4 },
  controls: [
    { key: "n", label: "rows <em>n</em>", kind: "range", min: 10, max: MOST, step: 1, show: String },
    { key: "d", label: "features <em>d</em>", kind: "range", min: 20, max: 200, step: 1, show: String },
    { key: "alpha", label: "tail exponent <em>α</em>", kind: "range", min: 0.5, max: 3, step: 0.05, show: (a) => number(a) },
    { key: "s", label: "features a row <em>s</em>", kind: "range", min: 1, max: 8, step: 0.25, show: (s) => number(s) },
  ],
  draws: true,
  predict: {
    question: "Guess first: twice as many rows. Are fewer features then seen exactly once?",
    choices: ["Yes, most are seen again", "No, new ones take their place"],
    reply: () => "Move <em>n</em> from 60 to 120 and read the bar of those seen once; then set <em>α</em> to 0.8 and do it again.",
  },
  compute, view, say,
  phrases: (_, { count, expected }) => ({ once: String(count.once), expected: number(expected.once, 1), unseen: String(count.never) }),
};
export default explorable(spec);
