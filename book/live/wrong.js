/** One wrong receipt: a label misread or two goods never bought apart, and which baskets of two rare goods pay for it. */
import { cgls, fromRows } from "./engine/longtail.js";
import { mix, uniforms } from "./engine/rng.js";
import { explorable, number } from "./frame.js";

const EVERYDAY = 8, RARE = ["saffron", "truffle", "caviar", "vanilla", "sumac", "morels", "yuzu", "miso", "ghee", "agar"];
const CELL = 30, LEFT = 74, TOP = 70;

/** Every two everyday goods are bought together a few times; each rare good stands on one receipt, beside one of them. */
function shop(seed) {
  const uniform = uniforms(mix(seed, 91)), whole = (low, high) => low + Math.floor(uniform() * (high - low + 1));
  const prices = [...Array.from({ length: EVERYDAY }, () => whole(1, 6)), ...RARE.map(() => whole(7, 40))], daily = [];
  for (let i = 0; i < EVERYDAY; i++) for (let j = i + 1; j < EVERYDAY; j++) daily.push({ goods: [i, j], count: whole(3, 9) });
  return { prices, daily, beside: RARE.map(() => whole(0, EVERYDAY - 1)) };
}

/**
 * The shop's receipts with the fault, the prices learned from them (least norm), and their errors: on the receipts as
 * they are written, on fresh ones of the same kinds with true totals, and on every pair of rare goods.
 */
export function learned({ off, tied, good, seed }) {
  const { prices, daily, beside } = shop(seed), other = (good + 1) % RARE.length;
  const odd = [];
  RARE.forEach((_, r) => {
    if (tied && r === other) return;
    odd.push({ goods: [beside[r], EVERYDAY + r, ...(tied && r === good ? [EVERYDAY + other] : [])], count: 1, wrong: r === good ? off : 0 });
  });
  const receipts = [...daily, ...odd], cost = (goods, tags) => goods.reduce((sum, i) => sum + tags[i], 0);
  const stated = receipts.map(({ goods, wrong = 0 }) => cost(goods, prices) + wrong), scale = receipts.map(({ count }) => Math.sqrt(count));
  const X = fromRows(receipts.map(({ goods }, at) => goods.map((i) => [i, scale[at]])), prices.length);
  const tags = cgls(X, stated.map((label, at) => scale[at] * label)).b, all = receipts.reduce((sum, { count }) => sum + count, 0);
  const loss = (labels) => receipts.reduce((sum, { goods, count }, at) => sum + count * (cost(goods, tags) - labels[at]) ** 2, 0) / all;
  const errors = RARE.map((_, r) => tags[EVERYDAY + r] - prices[EVERYDAY + r]), pairs = [];
  errors.forEach((a, r) => errors.slice(r + 1).forEach((b, q) => pairs.push(a + b)));
  return {
    X, tags, receipts, stated, scale, other, errors, all, prices,
    training: loss(stated), fresh: loss(receipts.map(({ goods }) => cost(goods, prices))),
    pairs: pairs.reduce((sum, e) => sum + e * e, 0) / pairs.length, wrong: pairs.filter((e) => Math.abs(e) >= 0.5).length, count: pairs.length,
  };
}

const shade = (error) => number(0.1 + 0.75 * Math.min(1, Math.abs(error) / 12), 2);

function view({ good, tied }, { errors, other, training, fresh, pairs }) {
  const faulty = (r) => r === good || (tied && r === other);
  const names = RARE.map((name, r) => {
    const across = `<text x="${LEFT + (r + 0.5) * CELL}" y="${TOP - 8}" transform="rotate(-45 ${LEFT + (r + 0.5) * CELL} ${TOP - 8})" class="${faulty(r) ? "bad-ink" : ""}">${name}</text>`;
    return across + `<text x="${LEFT - 8}" y="${TOP + (r + 0.68) * CELL}" text-anchor="end" class="pick${faulty(r) ? " bad-ink" : ""}" data-act="pick:${r}" tabindex="0" role="button" ` +
      `aria-pressed="${r === good}" aria-label="misread the receipt with ${name}">${name}</text>`;
  }).join("");
  const cells = errors.map((a, r) => errors.map((b, q) => {
    if (r === q) return "";
    const error = a + b, x = LEFT + q * CELL, y = TOP + r * CELL, box = `x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"`;
    const off = Math.abs(error) < 0.5 ? "" : `<g class="live-reveal"><rect class="off" ${box} fill-opacity="${shade(error)}"/>` +
      `<text class="amount" x="${x + CELL / 2}" y="${y + CELL * 0.66}" text-anchor="middle">${error > 0 ? "+" : ""}${number(error, 0)}</text></g>`;
    return `<rect class="fine" ${box}/>${off}`;
  }).join("")).join("");
  const bars = [["the receipts", training], ["fresh receipts", fresh], ["pairs of rare goods", pairs]].map(([label, mse]) => {
    const off = Math.sqrt(mse);
    return `<div class="wrong-bar"><span>${label}</span><div class="track"><i style="width:${number(Math.min(100, 10 * off), 1)}%"></i></div><b>${number(off, 2)}</b></div>`;
  }).join("");
  const wide = LEFT + RARE.length * CELL + 26;
  return `<div class="wrong-stage"><div><p class="quiet-title">two rare goods in one basket: by how much the price is wrong</p>` +
    `<svg data-stage viewBox="0 0 ${wide} ${TOP + RARE.length * CELL}" role="group" aria-label="Error of each pair of rare goods">${names}${cells}</svg></div>` +
    `<div class="wrong-bars live-reveal"><p class="quiet-title">wrong by, in the root mean square</p>${bars}</div></div>`;
}

function say({ off, tied, good }, { wrong, count, training, fresh, errors, other, receipts, all }) {
  const fault = [off ? `The receipt with ${RARE[good]} is misread by ${number(off)}` : "", tied ? `${RARE[good]} and ${RARE[other]} are bought only together` : ""].filter(Boolean);
  const said = fault.length ? `${fault.join(", and ")}.`.replace(/^./, (c) => c.toUpperCase()) : "Nothing is wrong yet.";
  const priced = tied
    ? `${RARE[good]} is priced wrong by ${number(errors[good], 1)} and ${RARE[other]} by ${number(errors[other], 1)}`
    : `${RARE[good]} is priced wrong by ${number(errors[good], 1)}`;
  return `${said} <span class="live-reveal">${wrong ? `${priced.replace(/^./, (c) => c.toUpperCase())}, and with it ${wrong} of the ${count} pairs of rare goods.` : `All ${count} pairs of rare goods are right.`} ` +
    `The ${number(all)} receipts are reproduced ${Math.sqrt(training) < 0.005 ? "exactly" : `to ${number(Math.sqrt(training))}`}, and fresh ones are off by ${number(Math.sqrt(fresh))} in the root mean square.</span>`;
}

export const spec = {
  name: "wrong",
  title: "One wrong receipt",
  ask: "Misread one receipt, or let two rare goods be bought only together; choose the good by its name at the left.",
  start: { off: 6, tied: false, good: 1 },
  controls: [
    { key: "off", label: "its total is misread by", kind: "range", min: -10, max: 10, step: 1, show: (off) => (off > 0 ? `+${off}` : number(off)) },
    { key: "tied", label: "always bought together with the next good in the list", kind: "toggle" },
  ],
  draws: true,
  predict: {
    question: "Guess first: one receipt in some 170 is misread. How many of the 45 pairs of rare goods are then priced wrong?",
    choices: ["None, it is one in 170", "Nine", "All"],
    reply: (choice) => `${choice === 1 ? "That is so" : "Nine"}: every pair with that good, a cross in the table. Look at the error on fresh receipts, and then tie two goods.`,
  },
  compute: learned, view, say,
  act: (_, what) => ({ good: Number(what.split(":")[1]) }),
  phrases: (_, { wrong, training, fresh, pairs }) => ({
    wrong: String(wrong), training: number(Math.sqrt(training)), fresh: number(Math.sqrt(fresh)), pairs: number(Math.sqrt(pairs), 1),
  }),
};
export default explorable(spec);
