/** Who is right: remove what a protocol calls memorized from a world of clusters, and mark on a map whether it helped. */
import { orders, rates, regions, vote } from "./engine/neighbours.js";
import { mix, normals, uniforms } from "./engine/rng.js";
import { explorable, number } from "./frame.js";

const CLASSES = ["var(--companion-fresh)", "var(--companion-linear)", "var(--companion-training)"], COMMON = 6, RARE = 60, TRAIN = 160, TEST = 500;
const RATE = 0.7, SUBSETS = 120, THRESHOLD = 0.25, CONTROLS = 20; // as Feldman and Zhang; random removals averaged
const SIDE = 300, REACH = 3.6, GRID = 50; // of the plane: units, half its width, cells of the regions
const CENTRES = Float64Array.from({ length: GRID }, (_, i) => ((i + 0.5) / GRID) * 2 * REACH - REACH);
const [HELPS, HURTS] = ["var(--companion-helps)", "var(--companion-hurts)"], KEYS = 5; // numbers that a mark on the map holds

/** Each point owns its random numbers, so that a slider moves some points from crowd to tail and leaves the others. */
function points(seed, stream, count, tail, wrong) {
  const world = uniforms(mix(seed, 1)), uniform = uniforms(mix(seed, stream)), normal = normals(uniform);
  const crowd = Array.from({ length: COMMON }, (_, i) => [1.9 * Math.cos((i * Math.PI) / 3), 1.9 * Math.sin((i * Math.PI) / 3)]), rare = [];
  while (rare.length < RARE) { // the tail lies between and around the crowds
    const at = [(2 * world() - 1) * 3.4, (2 * world() - 1) * 3.4], label = Math.floor(3 * world());
    if (crowd.every(([x, y]) => Math.hypot(x - at[0], y - at[1]) > 0.85)) rare.push({ at, label });
  }
  return Array.from({ length: count }, () => {
    const [a, b, c, d] = [uniform(), uniform(), uniform(), uniform()], [x, y] = [normal(), normal()], alone = a < tail;
    const which = Math.floor(b * (alone ? RARE : COMMON));
    const { at, label } = alone ? rare[which] : { at: crowd[which], label: which % 3 }, spread = alone ? 0.05 : 0.3, mistaken = c < wrong;
    return { at: [at[0] + spread * x, at[1] + spread * y], truth: label, label: mistaken ? (label + 1 + Math.floor(2 * d)) % 3 : label, mistaken, cluster: alone ? which : -1 };
  });
}

/** What `make` gives, made again only where `key` has changed: of what it gave before, where there is that. */
function kept(memory, name, key, make) {
  if (memory[name]?.key !== key) memory[name] = { key, value: make(memory[name]?.value) };
  return memory[name].value;
}

export function compute({ tail, noise, k, protocol, removed, seed }, memory) {
  const train = points(seed, 2, TRAIN, tail, noise), test = points(seed, 3, TEST, tail, 0), places = train.map(({ at }) => at), labels = train.map(({ label }) => label);
  const around = (from, name) => kept(memory, name, `${seed} ${tail}`, (before) => ({ places: from, points: places, orders: orders(from, places, before) })).orders;
  const nearTrain = around(places, "train"), nearTest = around(test.map(({ at }) => at), "test");
  const neighbours = Number(k), { inside, outside } = kept(memory, "rates", `${seed} ${tail} ${noise} ${k}`, () =>
    rates(nearTrain, labels, { k: neighbours, size: Math.round(RATE * TRAIN), subsets: SUBSETS, uniform: uniforms(mix(seed, 4)) }));
  const decks = kept(memory, "decks", seed, () => {
    const uniform = uniforms(mix(seed, 5));
    return Array.from({ length: CONTROLS }, () => places.map((_, i) => [uniform(), i]).sort((a, b) => a[0] - b[0]).map(([, i]) => i));
  });
  const score = inside.map((own, i) => (protocol === "absolute" ? own - outside[i] : own + outside[i] > 0 ? (own - outside[i]) / (own + outside[i]) : 0));
  const memorized = Uint8Array.from(score, (m) => m >= THRESHOLD), size = memorized.reduce((sum, m) => sum + m, 0);
  const without = (gone) => { // accuracy on fresh points
    const left = gone.map((out) => 1 - out);
    return test.filter(({ truth }, i) => vote(nearTest[i], labels, left, neighbours) === truth).length / TEST;
  };
  const random = decks.map((deck) => {
    const gone = new Uint8Array(TRAIN);
    for (const i of deck.slice(0, size)) gone[i] = 1;
    return gone;
  });
  const none = new Uint8Array(TRAIN), base = without(none), pruned = size && size < TRAIN ? without(memorized) : base;
  const control = random.reduce((sum, gone) => sum + without(gone), 0) / CONTROLS;
  const gone = { memorized, random: random[0], none }[removed];
  const left = places.flatMap((_, i) => (gone[i] ? [] : i)), share = (which) => train.filter((point, i) => memorized[i] && which(point)).length;
  const alone = (point) => !point.mistaken && point.cluster >= 0 && train.filter((other) => other.cluster === point.cluster).length === 1;
  return {
    train, memorized, gone, size, base, without: pruned, control,
    said: regions(left.map((i) => places[i]), left.map((i) => labels[i]), CENTRES, neighbours),
    effect: 100 * (pruned - control), mistaken: share(({ mistaken }) => mistaken), alone: share(alone),
  };
}

const to = (x) => (SIDE * (x + REACH)) / (2 * REACH);
const hue = (effect) => (effect > 1 ? HELPS : effect < -1 ? HURTS : "var(--companion-never)");

/** The learner's regions, a run of equal cells at a time. */
function patches(said) {
  const cell = SIDE / GRID, paths = CLASSES.map(() => "");
  for (let r = 0; r < GRID; r++) {
    for (let run = 0, c = 1; c <= GRID; c++) {
      const label = said[r * GRID + run];
      if (c < GRID && said[r * GRID + c] === label) continue;
      if (label >= 0) paths[label] += `M${run * cell} ${r * cell}h${(c - run) * cell}v${cell}h${(run - c) * cell}z`;
      run = c;
    }
  }
  return paths.map((d, c) => `<path d="${d}" fill="${CLASSES[c]}" fill-opacity=".22"/>`).join("");
}

function view(state, found) {
  const { train, memorized, gone } = found;
  const dots = train.map(({ at, label, mistaken }, i) => {
    const [x, y] = at.map((v) => Number(to(v).toFixed(1)));
    if (gone[i]) return `<path class="gone" d="M${x} ${y}m-3 -3l6 6m0 -6l-6 6"/>`;
    return `<circle cx="${x}" cy="${y}" r="${memorized[i] ? 4.6 : 3.2}" fill="${CLASSES[label]}"${memorized[i] ? ' class="kept"' : ""}/>` + (mistaken ? `<circle class="mistaken" cx="${x}" cy="${y}" r="7"/>` : "");
  }).join("");
  const marks = [];
  for (let m = 0; m + KEYS <= state.marks.length; m += KEYS) marks.push(state.marks.slice(m, m + KEYS));
  const map = { left: 30, top: 8, side: 150 }, mx = (tail) => map.left + (map.side * tail) / 0.6, my = (noise) => map.top + map.side * (1 - noise / 0.4);
  const drawn = marks.map(([tail, noise, k, fractional, effect]) => {
    const x = number(mx(tail), 1), y = number(my(noise), 1), color = hue(effect), said = `${k}-NN, ${fractional ? "fractional" : "absolute"}: ${number(effect, 1)} points`;
    return (fractional ? `<rect x="${mx(tail) - 4}" y="${my(noise) - 4}" width="8" height="8" fill="${color}" stroke="currentColor" stroke-width=".6">` : `<circle cx="${x}" cy="${y}" r="4.6" fill="${color}" stroke="currentColor" stroke-width=".6">`) +
      `<title>${said}</title>${fractional ? "</rect>" : "</circle>"}`;
  }).join("");
  const here = `<path d="M${number(mx(state.tail) - 7, 1)} ${number(my(state.noise), 1)}h14m-7 -7v14" stroke="currentColor" stroke-opacity=".6"/>`;
  const press = (what, label) => `<button type="button" data-act="${what}" aria-pressed="${state.removed === what}">${label}</button>`;
  return `<div class="who-stage"><div><p class="quiet-title">training points and what the learner says of the plane</p><svg data-stage viewBox="0 0 ${SIDE} ${SIDE}" role="img" aria-label="Clusters of training points in the plane">${patches(found.said)}${dots}</svg></div>` +
    `<div><div class="who-press">${press("memorized", `Remove the ${found.size} memorized`)}${press("random", "Remove as many at random")}${press("none", "Put all back")}</div>` +
    `<p class="quiet-title">each removal of the memorized leaves a mark</p><svg class="who-map" viewBox="0 0 190 186" role="img" aria-label="Map of removals by tail and wrong labels, ${marks.length} marks"><path d="M${map.left} ${map.top}v${map.side}h${map.side}" fill="none" stroke="currentColor"/>` +
    `<text x="${map.left}" y="171" class="quiet">0</text><text x="${map.left + map.side + 8}" y="171" text-anchor="end" class="quiet">60%</text><text x="26" y="${map.top + 6}" text-anchor="end" class="quiet" font-size="10">40%</text>` +
    `<text x="${map.left + map.side / 2}" y="176" text-anchor="middle" class="quiet">share of the tail</text><text transform="translate(12 ${map.top + map.side / 2}) rotate(-90)" text-anchor="middle" class="quiet">wrong labels</text>${here}${drawn}</svg>` +
    `<p class="quiet-title"><b style="color:${HELPS}">■</b> helped <b style="color:${HURTS}">■</b> hurt, by over a point against random; round: absolute, square: fractional</p></div></div>`;
}

function say({ k, protocol, removed }, { size, base, without, control, effect, mistaken, alone }) {
  const points = (change) => `${change > 0 ? "+" : ""}${number(100 * change, 1)}`;
  const held = `By the ${protocol} score, ${size} of ${TRAIN} points are memorized: ${mistaken} mislabelled, ${alone} alone in their cluster, ${size - mistaken - alone} neither.`;
  const verdict = effect > 1 ? "removing them helps" : effect < -1 ? "removing them hurts" : "removing them changes little";
  const now = removed === "none" ? "All points are in place." : removed === "memorized" ? "The memorized points are out." : "As many random points are out.";
  return `${now} The ${k}-NN learner is right on ${number(100 * base, 1)}% of fresh points. ${held} <span class="live-reveal">Without them its accuracy changes by ${points(without - base)} points, without as many random ones by ${points(control - base)}: ${verdict}.</span>`;
}

function act(state, what, { effect }) {
  if (what !== "memorized" || state.removed === "memorized") return { removed: what };
  const mark = [state.tail, state.noise, Number(state.k), state.protocol === "fractional" ? 1 : 0, Math.round(10 * effect) / 10];
  return { removed: what, marks: [...state.marks, ...mark].slice(-40 * KEYS) };
}

export const spec = {
  name: "who",
  title: "Who is right, and when?",
  ask: "Set how long the tail is and how many labels are wrong, remove the memorized points, and see on the map where that helps.",
  start: { tail: 0.4, noise: 0.02, k: "1", protocol: "absolute", removed: "none", marks: [] },
  controls: [
    { key: "tail", label: "share of the tail", kind: "range", min: 0, max: 0.6, step: 0.02, show: (tail) => `${number(100 * tail, 0)}%` },
    { key: "noise", label: "wrong labels", kind: "range", min: 0, max: 0.4, step: 0.02, show: (noise) => `${number(100 * noise, 0)}%` },
    { key: "k", label: "neighbours", kind: "choice", options: [["1", "1"], ["3", "3"], ["5", "5"]] },
    { key: "protocol", label: "score", kind: "choice", options: [["absolute", "absolute"], ["fractional", "fractional"]] },
  ],
  draws: true,
  predict: {
    question: "Guess first: a long tail, and few wrong labels. Does removing what was memorized help or hurt?",
    choices: ["It helps", "It hurts"],
    reply: () => "Remove them and read the change below; then raise the wrong labels to 40% and do it again. At last, let more neighbours vote.",
  },
  compute, view, say, act,
  phrases: (_, { effect, size, mistaken, alone }) => ({
    effect: `${effect > 0 ? "+" : ""}${number(effect, 1)}`, size: String(size), mistaken: String(mistaken), alone: String(alone),
  }),
};
export default explorable(spec);
