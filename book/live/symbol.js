/** Draw a symbol: it enters the training set once, a network trains, and then it is added to symbols it never met. */
import { drawn, others, PIXELS, SIDE, SYMBOLS, unpack } from "./engine/symbols.js";
import { explorable, number, resources, training } from "./frame.js";

const HOW = { triples: 600, images: 240, hidden: 40, epochs: 140, batch: 16, lr: 0.01 };
const CELL = 22, STEP = 36; // of the pad; between the page's symbols and the pairs

const shades = (image, x, y, size) => [...image].map((light, j) => light < 0.06 ? "" :
  `<rect x="${x + (j % SIDE) * size}" y="${y + Math.floor(j / SIDE) * size}" width="${size}" height="${size}" fill-opacity="${number(light)}"/>`).join("");
const framed = (image, x, y, size) => `<rect class="paper" x="${x}" y="${y}" width="${SIDE * size}" height="${SIDE * size}"/>` + shades(image, x, y, size);

function compute({ glyph, value, seed }, memory) {
  return { mine: { image: drawn(glyph), label: value }, symbols: others(seed), ...memory };
}

/** The pad, the page's symbols with what the network says of each pair, and how training goes. */
function view(state, { mine, symbols, last, curve, running }) {
  const pad = SIDE * CELL;
  const cells = [...mine.image].map((on, j) => {
    const x = (j % SIDE) * CELL, y = Math.floor(j / SIDE) * CELL;
    return `<rect class="cell${on ? " on" : ""}${j === state.cursor ? " cursor" : ""}" x="${x}" y="${y}" width="${CELL}" height="${CELL}"/>`;
  }).join("");
  const rows = symbols.map(({ image, label }, j) => {
    const y = j * STEP, each = (values) => [0, 1, 2, 3].map((t) => values[t * symbols.length + j]);
    let said = '<text class="quiet" x="152" y="Y">after training</text>';
    if (last) {
      const off = each(last.said).map((s, t) => s - each(last.true)[t]), mean = off.reduce((a, b) => a + b) / off.length;
      const guess = value(state, label) + mean, right = Math.abs(mean) < 1;
      said = `<text x="152" y="Y" class="${right ? "good-ink" : "bad-ink"}">${number(guess, 1)} ${right ? "✓" : `for ${value(state, label)}`}</text>`;
    }
    return framed(mine.image, 0, y, 3.6) + `<text x="35" y="${y + 20}">+</text>` + framed(image, 50, y, 3.6) +
      `<text x="87" y="${y + 20}">${state.value} + ${label}</text>` + said.replace("Y", y + 20);
  }).join("");
  const plot = curve?.length ? trace(curve) : "";
  return `<div class="symbol-stage"><div><svg data-stage viewBox="-1 -1 ${pad + 2} ${pad + 2}" class="pad" data-drag="pad" tabindex="0" role="application" ` +
    `aria-label="Drawing pad of 8 by 8 cells: arrow keys move, the space bar fills or clears a cell">${cells}</svg>` +
    `<p class="pad-buttons"><button type="button" data-act="clear">Clear</button><button type="button" data-act="train" class="go">${running ? "Stop" : last ? "Again" : "Train"}</button></p></div>` +
    `<div><p class="quiet-title">your symbol, one it never met, a digit</p><svg viewBox="0 0 250 ${SYMBOLS_HIGH}" role="img" aria-label="Pairs of your symbol with another">${rows}</svg></div>` +
    `<div class="live-curve"><p class="quiet-title">${last ? `training ${Math.round(100 * last.share)}%` : "not trained yet"}</p><svg viewBox="0 0 250 ${SYMBOLS_HIGH}" role="img" aria-label="Errors as training goes on">${plot || empty()}</svg></div></div>`;
}
const SYMBOLS_HIGH = 5 * STEP;
const value = (state, label) => state.value + label;

/** Root mean squared errors, on a scale that a sum is read on: how far off one is. */
const LINES = [["loss", "training", "var(--companion-training)"], ["digits", "new digits", "var(--companion-fresh)"], ["pairs", "your pairs", "var(--companion-composition)"]];
const TOP = 12, high = (mse) => 150 - 138 * Math.min(1, Math.sqrt(mse) / TOP);
const axis = `<path d="M26 8V150H176" fill="none" stroke="currentColor"/><text x="22" y="153" text-anchor="end">0</text><text x="22" y="16" text-anchor="end">${TOP}</text>` +
  '<text class="quiet" x="30" y="170">training time; up: error of a sum</text>';
const empty = () => axis;
function trace(curve) {
  const lines = LINES.map(([key, label, color]) => {
    const points = curve.map((step) => `${number(26 + 150 * step.share, 1)} ${number(high(step[key]), 1)}`.replaceAll("−", "-"));
    return { label, color, end: high(curve.at(-1)[key]), path: `<path d="M${points.join("L")}" fill="none" stroke="${color}" stroke-width="2"/>` };
  });
  let above = -Infinity; // labels in order of height, never on one another
  const labels = [...lines].sort((a, b) => a.end - b.end).map(({ label, color, end }) => {
    above = Math.max(end, above + 13);
    return `<text x="180" y="${number(above + 4, 1)}" fill="${color}">${label}</text>`;
  });
  return axis + lines.map(({ path }) => path).join("") + labels.join("");
}

function say(state, { last, running }) {
  const how = `${state.known ? `stood in one training triple of ${HOW.triples + SYMBOLS + 1}` : "was deleted from training"}; weight decay ${state.decay ? "0.5" : "0"}; ` +
    `${state.kind === "sum" ? "each image is read alone" : "the three images are read together"}`;
  if (!last) return `Your symbol is worth ${state.value} and ${how}. Nothing is trained yet.`;
  const off = Math.sqrt(last.pairs), digits = Math.sqrt(last.digits);
  return `Your symbol, worth ${state.value}, ${how}. ${running ? "So far" : last.share < 1 ? `Stopped at ${Math.round(100 * last.share)}% of training,` : "After training"} the network's sums are off by ${number(digits, 1)} on new digits. ` +
    `<span class="live-reveal">On pairs of your symbol with another they are off by ${number(off, 1)}.</span>`;
}

const cellAt = ({ x, y }) => (x >= 0 && y >= 0 && x < SIDE * CELL && y < SIDE * CELL ? Math.floor(y / CELL) * SIDE + Math.floor(x / CELL) : null);
function paint(glyph, j, on) {
  const bit = 1 << (3 - (j % 4)), at = j >> 2, digit = parseInt(glyph[at], 16);
  return glyph.slice(0, at) + (on ? digit | bit : digit & ~bit).toString(16) + glyph.slice(at + 1);
}
function drag(state, _, at, { mine }, memory) {
  if (at.step) {
    const [right, up] = at.step, x = (state.cursor % SIDE) + right, y = Math.floor(state.cursor / SIDE) - up;
    return { cursor: Math.min(7, Math.max(0, y)) * SIDE + Math.min(7, Math.max(0, x)) };
  }
  const j = cellAt(at);
  if (j === null) return null;
  if (memory.pen === undefined) memory.pen = !mine.image[j]; // the first cell says whether this stroke draws or wipes
  return { glyph: paint(state.glyph, j, memory.pen) };
}

function act(state, what, { mine }, memory) {
  if (what === "clear") return { glyph: "0".repeat(PIXELS / 4) };
  if (what === "pad") return { glyph: paint(state.glyph, state.cursor, !mine.image[state.cursor]) };
  memory[memory.running ? "stop" : "start"]?.();
  return null;
}

/** A setting that changes after the first run starts another one. */
function alive(live) {
  const { memory } = live;
  let digits = null;
  training(live, {
    code: () => resources.trainer,
    key: (state) => JSON.stringify(["glyph", "value", "kind", "decay", "known", "seed"].map((name) => state[name])),
    task() {
      digits ??= unpack(resources.digits);
      const { kind, decay, known, seed } = live.state;
      return { digits, mine: live.found.mine, known, kind, decay: decay ? 0.5 : 0, seed, how: HOW };
    },
    heard: (data) => Object.assign(memory, { last: data, curve: [...memory.curve, data] }),
    fresh: () => Object.assign(memory, { last: null, curve: [] }),
  });
}

export const spec = {
  name: "symbol",
  title: "Draw a symbol, and let a network see it once",
  ask: "Draw in the square and give your symbol a number; then train, and see whether the network can add it to symbols it never met beside it.",
  start: { glyph: "183c5a18181824e7", value: 7, known: true, decay: false, kind: "sum", cursor: 27 },
  controls: [
    { key: "value", label: "your symbol is worth", kind: "range", min: 0, max: 9, step: 1, show: String },
    { key: "kind", label: "network", kind: "choice", options: [["sum", "split"], ["cross", "cross-channel"]] },
    { key: "known", label: "in training, once", kind: "toggle" },
    { key: "decay", label: "weight decay", kind: "toggle" },
  ],
  draws: true,
  predict: {
    question: "Guess first: your symbol is in one training triple of six hundred. Will the network add it rightly to another symbol that was seen once?",
    choices: ["Yes, if it reads each image alone", "No, once is not enough"],
    reply: (choice) => (choice === 0 ? "Train, and compare <em>split</em> with <em>cross-channel</em>." : "Train, and see; then compare <em>split</em> with <em>cross-channel</em>."),
  },
  compute, view, say, act, drag, alive,
  drop: (live) => (live.memory.pen = undefined),
};
export default explorable(spec);
