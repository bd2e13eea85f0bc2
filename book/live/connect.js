/** Connect to compose: pairs of symbols as edges; a new pair is known where a path of training pairs leads to it. */
import { cgls, fromRows } from "./engine/longtail.js";
import { mix, shuffled, uniforms } from "./engine/rng.js";
import { explorable, number } from "./frame.js";

const SIDE = 4, LEFT = ["A", "B", "C", "D"], RIGHT = ["a", "b", "c", "d"], WIDE = 380, X = [62, 318], GAP = 62;
const ends = (edge) => [Math.floor(edge / SIDE), edge % SIDE];

/** What each symbol is worth. The learner sees sums of two only. */
function worth(seed) {
  const uniform = uniforms(mix(seed, 31)), order = shuffled(12, uniform);
  return [0, 1].map((side) => Array.from({ length: SIDE }, (_, i) => 1 + order[SIDE * side + i]));
}

/** The edges on a shortest path from left symbol i to right symbol j, or null: it alternates sides, so signs alternate. */
function path(edges, i, j) {
  const came = new Map([[`0${i}`, null]]), queue = [[0, i]];
  while (queue.length) {
    const [side, at] = queue.shift();
    for (const edge of edges) {
      const both = ends(edge), next = `${1 - side}${both[1 - side]}`;
      if (both[side] !== at || came.has(next)) continue;
      came.set(next, { edge, from: `${side}${at}` });
      queue.push([1 - side, both[1 - side]]);
    }
  }
  if (!came.has(`1${j}`)) return null;
  const found = [];
  for (let step = came.get(`1${j}`); step; step = came.get(step.from)) found.unshift(step.edge);
  return found;
}

/** Minimum norm in the features of a kernel: one for all, one a symbol, and for the product one a pair. */
function learn(edges, labels, asked, rho, product) {
  const one = Math.sqrt(product ? rho * (1 - rho) : 1 - rho), all = product ? rho : Math.sqrt(2 * rho);
  const row = (edge) => {
    const [i, j] = ends(edge), pair = [[1 + 2 * SIDE + edge, 1 - rho]];
    return [[0, all], [1 + i, one], [1 + SIDE + j, one], ...(product ? pair : [])];
  };
  const { b } = cgls(fromRows(edges.map(row), 1 + 2 * SIDE + SIDE ** 2), labels);
  return row(asked).reduce((sum, [at, x]) => sum + x * b[at], 0);
}

function compute({ edges, left, right, rho, seed }) {
  const [ours, theirs] = worth(seed), i = LEFT.indexOf(left), j = RIGHT.indexOf(right), asked = SIDE * i + j;
  const label = (edge) => ours[ends(edge)[0]] + theirs[ends(edge)[1]];
  const way = path(edges, i, j), labels = edges.map(label);
  return {
    i, j, asked, label, way, truth: label(asked),
    sum: way?.map((edge, at) => (at % 2 ? " − " : at ? " + " : "") + label(edge)).join(""),
    additive: edges.length ? learn(edges, labels, asked, rho, false) : 0,
    product: edges.length ? learn(edges, labels, asked, rho, true) : 0,
  };
}

function view({ edges, pick, left, right }, { i, j, label, way, truth, additive, product }) {
  const y = (at) => 32 + at * GAP;
  const lines = edges.map((edge) => {
    const [a, b] = ends(edge), at = way?.indexOf(edge) ?? -1, on = at >= 0, share = 0.32 + 0.12 * (a % 2);
    const x = X[0] + share * (X[1] - X[0]), high = y(a) + share * (y(b) - y(a));
    return `<path d="M${X[0]} ${y(a)}L${X[1]} ${y(b)}" stroke="${on ? "var(--companion-once)" : "var(--companion-never)"}" stroke-width="${on ? 3.5 : 1.6}"${on && at % 2 ? ' stroke-dasharray="7 5"' : ""}/>` +
      `<rect class="sheet" x="${number(x - 15, 1)}" y="${number(high - 10, 1)}" width="30" height="20" rx="5"/><text x="${number(x, 1)}" y="${number(high + 5, 1)}" text-anchor="middle"${on ? ' font-weight="700"' : ""}>${on ? (at % 2 ? "−" : "+") : ""}${label(edge)}</text>`;
  }).join("");
  const nodes = [LEFT, RIGHT].map((names, side) => names.map((name, at) => {
    const asked = at === [i, j][side], held = pick === `${side}${at}`;
    return `<g data-act="${side}${at}" tabindex="0" role="button" aria-pressed="${held}" aria-label="symbol ${name}"><circle class="node${held ? " held" : ""}" cx="${X[side]}" cy="${y(at)}" r="19"/>` +
      `<text x="${X[side]}" y="${y(at) + 6}" text-anchor="middle" font-size="17" font-weight="${asked ? 700 : 400}">${name}</text>${asked ? `<circle cx="${X[side]}" cy="${y(at)}" r="24" fill="none" stroke="var(--companion-once)" stroke-width="2" stroke-dasharray="3 3"/>` : ""}</g>`;
  }).join("")).join("");
  const verdict = (said) => `<b>${number(said, 1)}</b> <span class="${Math.abs(said - truth) < 0.05 ? "right" : "wrong"}">${Math.abs(said - truth) < 0.05 ? "right" : "wrong"}</span>`;
  return `<div class="connect-stage"><svg viewBox="0 0 ${WIDE} ${2 * 32 + (SIDE - 1) * GAP}" role="group" aria-label="Symbols of two slots; lines are training pairs with their sums">${lines}${nodes}</svg>` +
    `<div class="connect-says"><p>${left} + ${right} is <b>${truth}</b></p><p>${edges.includes(SIDE * i + j) ? "a training pair" : "not in training"}</p><hr><p>adds slot by slot: ${verdict(additive)}</p><p class="live-reveal">compares wholes: ${verdict(product)}</p></div></div>`;
}

function say({ edges, left, right, rho }, { way, sum, truth, additive, product, asked }) {
  const how = edges.includes(asked) ? `${left} with ${right} is a training pair, with label ${truth}. `
    : way ? `A path of training pairs leads from ${left} to ${right}: ${sum} = ${truth}, though the pair was never shown. `
    : `No path of training pairs leads from ${left} to ${right}: nothing ties the two together, and the sum can be anything. `;
  return `${how}The additive learner says ${number(additive, 1)}. <span class="live-reveal">The learner that compares wholes, at ρ = ${number(rho)}, says ${number(product, 1)}.</span>`;
}

/** The first press picks a symbol up; a press on the other side adds the pair to training, or takes it out. */
function act({ edges, pick }, what) {
  if (!pick || pick[0] === what[0]) return { pick: pick === what ? "" : what };
  const [a, b] = pick[0] === "0" ? [pick, what] : [what, pick], edge = SIDE * Number(a[1]) + Number(b[1]);
  return { pick: "", edges: edges.includes(edge) ? edges.filter((e) => e !== edge) : [...edges, edge].sort((x, y) => x - y) };
}

const choice = (key, names, label) => ({ key, label, kind: "choice", options: names.map((name) => [name, name]) });
export const spec = {
  name: "connect",
  title: "Connect to compose",
  ask: "Press a symbol on the left and one on the right to add their pair to training, or to take it out. Each line has the sum of its two symbols.",
  start: { edges: [0, 4, 5, 10, 14], left: "A", right: "b", rho: 0.5, pick: "" },
  controls: [
    choice("left", LEFT, "ask for"),
    choice("right", RIGHT, "with"),
    { key: "rho", label: "likeness <em>ρ</em> of two symbols", kind: "range", min: 0, max: 0.95, step: 0.05, show: (r) => number(r) },
  ],
  draws: true,
  predict: {
    question: "Guess first: with ρ near 1, what does the learner that compares wholes say of the pair?",
    choices: ["It comes near the true sum", "It stays wrong"],
    reply: () => "Move <em>ρ</em> up, and compare the two learners; then cut the path and look again.",
  },
  compute, view, say, act,
  phrases: (_, { way, sum, truth }) => ({ sum: way ? `${sum} = ${truth}` : "no sum of labels" }),
};
export default explorable(spec);
