/** Peel it yourself: a row with one unknown feature names it; what nobody can name is a core, until a row is added. */
import { certificates, fromRows, sample } from "./engine/longtail.js";
import { mix, uniforms } from "./engine/rng.js";
import { explorable, number, player } from "./frame.js";

const P = [0.45, 0.4, 0.35, 0.3, 0.22, 0.18, 0.15, 0.12, 0.1, 0.1, 0.08, 0.08, 0.08, 0.08], D = P.length, MOST = 20;
const COLUMN = 25, ROW = 28, LEFT = 16, TOP = 44, ADDED = 6;

/** The rows of the draw and those that were added, as lists of [feature, sign]; what each feature is worth. */
function design({ n, seed, added }) {
  const X = sample({ n, p: Float64Array.from(P), seed: mix(seed, 3), capacity: MOST }), rows = Array.from({ length: n }, () => []);
  for (let i = 0; i < D; i++) for (let e = X.start[i]; e < X.start[i + 1]; e++) rows[X.row[e]].push([i, X.value[e]]);
  const uniform = uniforms(mix(seed, 4));
  return { rows: [...rows, ...added.map((i) => [[i, 1]])], worth: P.map(() => 1 + Math.floor(9 * uniform())) };
}

function compute(state, memory) {
  const { rows, worth } = design(state), known = new Set(Array.from({ length: state.k }, (_, i) => i)), story = [];
  const open = (r) => (rows[r] ?? []).filter(([i]) => !known.has(i)); // a row that an earlier setting had may be gone
  for (const r of state.steps) {
    const left = open(r);
    if (left.length !== 1) continue;
    known.add(left[0][0]);
    story.push({ r, i: left[0][0] });
  }
  const unknown = rows.map((_, r) => open(r)), ready = unknown.flatMap((left, r) => (left.length === 1 ? [r] : []));
  const seen = P.map((_, i) => i).filter((i) => rows.some((row) => row.some(([j]) => j === i)) || known.has(i));
  const stuck = ready.length ? [] : seen.filter((i) => !known.has(i));
  const given = Array.from({ length: state.k }, (_, i) => [[i, 1]]); // what is known in advance counts as rows of its own
  const certificate = certificates(fromRows([...rows, ...given], D)).P;
  return {
    rows, worth, known, story, unknown, ready, seen, stuck, playing: memory.playing,
    determined: stuck.filter((i) => certificate[i] > 1 - 1e-8),
    label: rows.map((row) => row.reduce((sum, [i, sign]) => sum + sign * worth[i], 0)),
  };
}

const x = (i) => LEFT + (i + 0.5) * COLUMN, y = (r) => TOP + (r + 0.5) * ROW;

function view({ added, n }, found) {
  const { rows, worth, known, story, unknown, ready, stuck, label, playing } = found, latest = story.at(-1), wide = LEFT + D * COLUMN + 52;
  const heads = P.map((_, i) => {
    const may = stuck.includes(i) && added.length < ADDED;
    const tone = known.has(i) ? (latest?.i === i ? "var(--companion-once)" : "var(--companion-never)") : "var(--companion-common)";
    const name = may ? ` data-act="add:${i}" tabindex="0" role="button" aria-label="add a row that holds feature ${i + 1} alone"` : "";
    return `<g${name}><rect x="${x(i) - 11}" y="2" width="22" height="${TOP - 8}" rx="5" fill="${tone}" fill-opacity="${known.has(i) ? 0.22 : 0.05}"${may ? ` stroke="${tone}" stroke-dasharray="3 2"` : ""}/>` +
      `<text x="${x(i)}" y="15" text-anchor="middle" class="quiet">${i + 1}</text><text x="${x(i)}" y="31" text-anchor="middle" font-weight="600">${known.has(i) ? worth[i] : "?"}</text></g>`;
  });
  const lines = rows.map((row, r) => {
    const can = ready.includes(r), done = unknown[r].length === 0, used = latest?.r === r, ink = can || used ? "var(--companion-once)" : "var(--companion-never)";
    if (!row.length) return `<text x="${x(0)}" y="${y(r) + 4}" class="quiet">an empty row</text>`;
    const marks = row.map(([i, sign]) => {
      const tone = known.has(i) ? "var(--companion-never)" : can ? "var(--companion-once)" : "var(--companion-common)";
      return sign > 0 ? `<circle cx="${x(i)}" cy="${y(r)}" r="6" fill="${tone}"/>` : `<path d="M${x(i)} ${y(r) - 7}l7 7l-7 7l-7 -7z" fill="${tone}"/>`;
    }).join("");
    const press = can ? ` data-act="row:${r}" tabindex="0" role="button" aria-label="row ${r + 1}: only feature ${unknown[r][0][0] + 1} is unknown"` : "";
    return `<g${press} opacity="${done && !used ? 0.45 : 1}"><rect x="2" y="${y(r) - ROW / 2}" width="${wide - 4}" height="${ROW}" fill="${can ? "var(--companion-once)" : "transparent"}" fill-opacity="${can ? 0.12 : 0}" rx="4"/>` +
      `<path d="M${x(row[0][0])} ${y(r)}H${x(row.at(-1)[0])}" stroke="${ink}" stroke-width="${can || used ? 2 : 1}"/>${marks}` +
      `<text x="${wide - 8}" y="${y(r) + 5}" text-anchor="end"${r >= n ? ' font-weight="700"' : ""}>${number(label[r])}</text></g>`;
  });
  return `<svg class="peel-stage" viewBox="0 0 ${wide} ${TOP + rows.length * ROW + 4}" role="group" aria-label="Rows and their features">${heads.join("")}${lines.join("")}</svg>` +
    `<p class="pad-buttons"><button type="button" class="go" data-act="play">${playing ? "Pause" : "Play"}</button><button type="button" data-act="back">Undo</button></p>`;
}

const list = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);
const features = (items) => `feature${items.length === 1 ? "" : "s"} ${list(items.map((i) => i + 1))}`;

function say({ k, added }, { rows, worth, label, known, story, ready, seen, stuck, determined }) {
  const at = story.at(-1);
  let last = k ? `The first ${k === 1 ? "feature is" : `${k} features are`} known in advance. ` : "Nothing is known in advance. ";
  if (at) {
    const sign = rows[at.r].find(([i]) => i === at.i)[1], others = label[at.r] - sign * worth[at.i];
    last = rows[at.r].length === 1
      ? `Row ${at.r + 1} holds feature ${at.i + 1} alone and says ${number(label[at.r])}: it is worth ${worth[at.i]}. `
      : `Row ${at.r + 1} says ${number(label[at.r])}; what was known makes ${number(others)} of it, so feature ${at.i + 1} is worth ${worth[at.i]}. `;
  }
  const done = `${known.size} of the ${seen.length} seen features are resolved`;
  if (ready.length) return `${last}${done}. ${ready.length === 1 ? "One row has" : `${ready.length} rows have`} a single unknown left.`;
  if (!stuck.length) return `${last}${done}: peeling reaches all of them.`;
  const still = determined.length === stuck.length ? ", though the rows together do determine all of them" : determined.length ? `, though the rows together do determine ${features(determined)}` : ", and no algebra on these rows determines any of them";
  return `${last}${done}. Peeling is stuck at ${features(stuck)}${still}.${added.length < ADDED ? " Press one of them, at the top, to add a row that holds it alone." : ""}`;
}

function act(state, what, { ready, stuck }, memory) {
  const [kind, index] = what.split(":");
  if (kind === "row") return { steps: [...state.steps, Number(index)] };
  if (kind === "add") return stuck.includes(Number(index)) && state.added.length < ADDED ? { added: [...state.added, Number(index)] } : null;
  if (kind === "back") return { steps: state.steps.slice(0, -1) };
  memory.play?.();
  return null;
}

/** Playing takes the topmost row that has one unknown, every 0.8 seconds, until none has. */
function alive(live) {
  player(live, 800, () => {
    const { state, found } = live;
    return found.ready.length ? { steps: [...state.steps, found.ready[0]] } : null;
  });
}

export const spec = {
  name: "peel",
  title: "Peel it yourself",
  ask: "Press a row on an orange ground: all its features are known but one, so it names that one. Circles are +1, diamonds −1.",
  start: { n: 13, k: 0, steps: [], added: [] },
  controls: [
    { key: "n", label: "rows <em>n</em>", kind: "range", min: 6, max: MOST, step: 1, show: String },
    { key: "k", label: "known in advance", kind: "range", min: 0, max: 4, step: 1, show: (k) => (k ? `features 1 to ${k}`.replace("s 1 to 1", " 1") : "nothing") },
  ],
  draws: true,
  predict: {
    question: "Guess first: does it matter in which order you take the rows?",
    choices: ["Yes, one can get stuck earlier", "No, the end is always the same"],
    reply: () => "Peel to the end, press <em>Start again</em>, and take another way: the same features come out.",
  },
  compute, view, say, act, alive,
  phrases: (_, { known, seen }) => ({ resolved: String(known.size), seen: String(seen.length) }),
};
export default explorable(spec);
