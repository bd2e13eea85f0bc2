/** Receipts: a shop's receipts, the prices a learner takes from them, and a basket that nobody ever bought. */
import { cgls, dot, fromRows } from "./engine/longtail.js";
import { mix, shuffled, uniforms } from "./engine/rng.js";
import { explorable, number } from "./frame.js";

const GOODS = ["bread", "milk", "eggs", "coffee", "saffron", "truffle"], EVERYDAY = 4;
// Which goods stand on a receipt. No receipt is a sum of others, so that every sum below is the only one there is.
const BASKETS = [[0], [0, 1], [1, 2], [2, 3], [0, 4], [1, 5]];
const ODD = 4; // from here on, receipts that were seen once

/** Draw 0 is the shop of the text; the others have prices, counts and odd baskets of their own. */
function shop(seed) {
  if (seed === 0) return { prices: [2, 1, 3, 4, 7, 30], counts: [25, 40, 30, 20, 1, 1], baskets: BASKETS };
  const uniform = uniforms(mix(seed, 77)), whole = (low, high) => low + Math.floor(uniform() * (high - low + 1));
  const order = [...shuffled(EVERYDAY, uniform)], companions = [whole(0, 3), whole(0, 3)];
  return {
    prices: GOODS.map((_, i) => (i < EVERYDAY ? whole(1, 6) : whole(7, 40))),
    counts: BASKETS.map((_, r) => (r < ODD ? whole(20, 45) : 1)),
    baskets: [...BASKETS.slice(0, ODD).map((goods) => goods.map((i) => order[i]).sort()), [companions[0], 4], [companions[1], 5]],
  };
}

function compute({ basket, forget, deleted, seed }) {
  const { prices, counts, baskets } = shop(seed);
  const totals = baskets.map((goods) => goods.reduce((sum, i) => sum + prices[i], 0));
  const kept = baskets.map((_, r) => r).filter((r) => !deleted.includes(r));
  // a receipt that came c times is c equal rows, or one row times the root of c
  const scale = kept.map((r) => Math.sqrt(counts[r]));
  const X = fromRows(kept.map((r, at) => baskets[r].map((i) => [i, scale[at]])), GOODS.length);
  const learn = (labels) => cgls(X, kept.map((r, at) => scale[at] * labels[r]), forget).b;
  const tags = learn(totals), asks = GOODS.map((_, i) => (basket.includes(i) ? 1 : 0));
  // the prediction is linear in what the receipts say: how much of each receipt is in it
  const weights = baskets.map((_, r) => (deleted.includes(r) ? 0 : dot(learn(baskets.map((_, q) => (q === r ? 1 : 0))), asks)));
  const off = (goods) => Math.abs(goods.reduce((sum, i) => sum + tags[i] - prices[i], 0));
  const daily = baskets.slice(0, ODD), bought = counts.slice(0, ODD);
  return {
    prices, counts, baskets, totals, tags, weights,
    price: dot(prices, asks), guess: dot(tags, asks),
    everyday: daily.reduce((sum, goods, r) => sum + bought[r] * off(goods), 0) / bought.reduce((a, b) => a + b),
  };
}

/** 9 + 31 - 3, or with weights that are not whole, 0.5 x 9 and so on. */
function sum({ weights, totals }) {
  // first what is added
  const terms = [...weights.keys()].filter((r) => Math.abs(weights[r]) >= 0.005).sort((q, r) => (weights[q] < 0) - (weights[r] < 0) || q - r);
  const written = terms.map((r, at) => {
    const size = Math.abs(weights[r]), sign = weights[r] < 0 ? (at ? " − " : "−") : at ? " + " : "";
    return sign + (Math.abs(size - 1) < 0.005 ? "" : `${number(size)} × `) + number(totals[r]);
  });
  return written.join("") || "0";
}
const names = (goods) => goods.map((i) => GOODS[i]).join(" + ");
const right = ({ price, guess }) => Math.abs(price - guess) < 0.05;

function view({ basket, deleted }, found) {
  const { baskets, counts, totals, tags, prices, weights } = found;
  const goods = GOODS.map((name, i) =>
    `<th scope="col"><button type="button" class="good" data-act="good:${i}" aria-pressed="${basket.includes(i)}">` +
    `<span>${name}</span><b>${number(tags[i], 1)}</b></button></th>`).join("");
  const rows = baskets.map((inside, r) => {
    const gone = deleted.includes(r), share = Math.min(1, Math.abs(weights[r]));
    const cells = GOODS.map((_, i) => `<td>${inside.includes(i) ? '<i class="dot"></i>' : ""}</td>`).join("");
    const used = share < 0.005 ? "" : (weights[r] < 0 ? "−" : "+") + (share > 0.995 ? "" : number(share));
    return `<tr class="${gone ? "gone" : ""}${r >= ODD ? " odd" : ""}" style="--used:${Math.round(100 * share)}%">` +
      `<th scope="row">${r >= ODD ? "once" : `${counts[r]} ×`}</th>${cells}<td class="total">${number(totals[r])}</td><td class="used">${used}</td>` +
      `<td><button type="button" class="bin" data-act="receipt:${r}" aria-pressed="${gone}" aria-label="delete the receipt ${names(inside)}">${gone ? "↺" : "✕"}</button></td></tr>`;
  }).join("");
  const answer = basket.length
    ? `<p class="answer">${names(basket)}: <b>${sum(found)}${/^[\d,.]+$/.test(sum(found)) ? "" : ` = ${number(found.guess, 1)}`}</b>` +
      ` <span class="${right(found) ? "right" : "wrong"}">${right(found) ? "right" : `wrong, it costs ${number(found.price)}`}</span></p>`
    : '<p class="answer">Choose one good or two.</p>';
  return `<div class="receipt-table"><table><thead><tr><th scope="col">seen</th>${goods}<th scope="col">total</th><th scope="col">used</th><td></td></tr></thead>` +
    `<tbody>${rows}</tbody><tfoot><tr><th scope="row">true</th>${prices.map((price) => `<td>${price}</td>`).join("")}<td colspan="3"></td></tr></tfoot></table></div>${answer}`;
}

function say({ basket }, found) {
  const start = basket.length
    ? `The learner prices ${names(basket)} at ${number(found.guess, 1)}; it costs ${number(found.price)}. `
    : "";
  const daily = found.everyday < 0.005 ? "exactly right" : `off by ${number(found.everyday)} on average`;
  return `${start}<span class="live-reveal">Everyday baskets are ${daily}.</span>`;
}

function act({ basket, deleted }, what) {
  const [kind, index] = what.split(":"), i = Number(index);
  if (kind === "good") return { basket: basket.includes(i) ? basket.filter((j) => j !== i) : [...basket, i].slice(-2).sort((a, b) => a - b) };
  return { deleted: deleted.includes(i) ? deleted.filter((r) => r !== i) : [...deleted, i] };
}

export const spec = {
  name: "receipts",
  title: "What does a basket cost that nobody ever bought?",
  ask: "At the top are the learner's prices, at the bottom the true ones. Choose two goods by their price tags, turn up forgetting, or delete a receipt.",
  start: { basket: [4, 5], forget: 0, deleted: [] },
  controls: [{ key: "forget", label: "forget", kind: "range", min: 0, max: 2, step: 0.05, show: (mu) => (mu ? `nλ = ${number(mu)}` : "nothing") }],
  draws: true,
  predict: {
    question: "Guess first: when the shop forgets what it saw once, what becomes of its everyday baskets?",
    choices: ["They go wrong too", "They hardly change"],
    reply: (choice) => (choice === 0 ? "Try it" : choice === 1 ? "That is so: try it" : "Try it") +
      ": move <em>forget</em>, and compare the error of this basket with that of everyday baskets below.",
  },
  compute, view, say, act,
  phrases: (_, found) => ({ guess: number(found.guess, 1), sum: sum(found) }),
};
export default explorable(spec);
