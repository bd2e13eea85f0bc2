/** Nearest neighbours in the plane. */

/**
 * The label that most of the k nearest points carry; of labels that tie, the one whose nearest point is nearest.
 * @param {ArrayLike<number>[]} points [x, y] each
 * @param {ArrayLike<number>} labels whole numbers
 * @param {ArrayLike<number>} at [x, y]
 * @param {number} [k]
 * @returns {number} NaN without points
 */
export function nearest(points, labels, at, k = 1) {
  const far = points.map(([x, y]) => (x - at[0]) ** 2 + (y - at[1]) ** 2);
  const order = [...far.keys()].sort((i, j) => far[i] - far[j] || i - j).slice(0, k);
  const votes = new Map();
  for (const i of order) votes.set(labels[i], (votes.get(labels[i]) ?? 0) + 1);
  let best = NaN, most = 0;
  for (const [label, count] of votes) if (count > most) (best = label), (most = count); // a Map keeps their order
  return best;
}

/**
 * For each place, the numbers of the points from nearest to farthest (ties: the smaller number first).
 * @param {ArrayLike<number>[]} places [x, y] each
 * @param {ArrayLike<number>[]} points [x, y] each
 * @returns {Int32Array[]}
 */
export function orders(places, points) {
  return places.map(([a, b]) => {
    const far = points.map(([x, y]) => (x - a) ** 2 + (y - b) ** 2);
    return Int32Array.from([...far.keys()].sort((i, j) => far[i] - far[j] || i - j));
  });
}

/**
 * The vote of the first k points of `order` that are kept: as `nearest`, from an order made beforehand.
 * @param {Int32Array} order
 * @param {ArrayLike<number>} labels whole numbers from 0, below 16
 * @param {(i: number) => boolean} kept
 * @param {number} k
 * @returns {number} -1 where none is kept
 */
export function vote(order, labels, kept, k) {
  if (k === 1) return order.length ? labelOf(order, labels, kept) : -1;
  votes.fill(0);
  let found = 0, most = 0;
  for (let at = 0; at < order.length && found < k; at++) {
    if (!kept(order[at])) continue;
    found++;
    most = Math.max(most, ++votes[labels[order[at]]]);
  }
  for (let at = 0; at < order.length && most; at++) if (kept(order[at]) && votes[labels[order[at]]] === most) return labels[order[at]];
  return -1;
}
const votes = new Int32Array(16); // asked for thousands of times a picture: one for all
const labelOf = (order, labels, kept) => {
  for (let at = 0; at < order.length; at++) if (kept(order[at])) return labels[order[at]];
  return -1;
};

/**
 * How often each training point is classified as it is labelled, by learners that have it and by learners that have
 * not: from random subsets of `size` points, the estimator of memorization scores.
 * @param {ArrayLike<number>[]} points
 * @param {ArrayLike<number>} labels
 * @param {{k: number, size: number, subsets: number, uniform: () => number}} how
 * @returns {{inside: Float64Array, outside: Float64Array}} NaN for a point that no subset has, or every subset
 */
export function rates(points, labels, { k, size, subsets, uniform }) {
  const n = points.length, near = orders(points, points), hits = [new Float64Array(n), new Float64Array(n)], seen = [new Float64Array(n), new Float64Array(n)];
  for (let s = 0; s < subsets; s++) {
    const kept = new Uint8Array(n), deck = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < size; i++) {
      const j = i + Math.floor(uniform() * (n - i));
      [deck[i], deck[j]] = [deck[j], deck[i]];
      kept[deck[i]] = 1;
    }
    for (let i = 0; i < n; i++) {
      seen[kept[i]][i]++;
      if (vote(near[i], labels, (j) => kept[j] === 1, k) === labels[i]) hits[kept[i]][i]++;
    }
  }
  return { inside: hits[1].map((h, i) => h / seen[1][i]), outside: hits[0].map((h, i) => h / seen[0][i]) };
}

/**
 * Exact leave one out: 1 where a point is classified as it is labelled with itself in training and not without, else 0
 * (-1 where it is the other way round).
 * @param {ArrayLike<number>[]} points
 * @param {ArrayLike<number>} labels
 * @param {number} k
 * @returns {Int8Array}
 */
export function leaveOneOut(points, labels, k) {
  const near = orders(points, points);
  return Int8Array.from(points, (_, i) => (vote(near[i], labels, () => true, k) === labels[i]) - (vote(near[i], labels, (j) => j !== i, k) === labels[i]));
}
