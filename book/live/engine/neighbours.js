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
 * @param {{places: ArrayLike<number>[], points: ArrayLike<number>[], orders: Int32Array[]}} [before] what was found for as
 *   many places and points: only points and places that have moved since are sorted in anew
 * @returns {Int32Array[]}
 */
export function orders(places, points, before) {
  const all = [...points.keys()], stays = (now, then) => now[0] === then[0] && now[1] === then[1];
  const moved = Uint8Array.from(points, (point, i) => !before || !stays(point, before.points[i])), few = all.filter((i) => moved[i]);
  const xs = Float64Array.from(points, ([x]) => x), ys = Float64Array.from(points, ([, y]) => y);
  return places.map((place, p) => {
    const order = new Int32Array(points.length), [a, b] = place, far = (i) => (xs[i] - a) ** 2 + (ys[i] - b) ** 2, same = before && stays(place, before.places[p]);
    let held = 0;
    if (same) for (const i of before.orders[p]) if (!moved[i]) order[held++] = i;
    for (const i of same ? few : all) {
      const away = far(i);
      let low = 0, high = held;
      while (low < high) {
        const middle = (low + high) >> 1, there = far(order[middle]);
        if (there < away || (there === away && order[middle] < i)) low = middle + 1;
        else high = middle;
      }
      order.copyWithin(low + 1, low, held++);
      order[low] = i;
    }
    return order;
  });
}

/**
 * The vote of the first k points of `order` that are kept: as `nearest`, from an order made beforehand.
 * @param {Int32Array} order
 * @param {ArrayLike<number>} labels whole numbers from 0, below 16
 * @param {ArrayLike<number>} kept for each point: 0 where it is left out
 * @param {number} k
 * @returns {number} -1 where none is kept
 */
export function vote(order, labels, kept, k) {
  if (k > 1) votes.fill(0);
  let found = 0, most = 0;
  for (let at = 0; at < order.length && found < k; at++) {
    if (!kept[order[at]]) continue;
    if (k === 1) return labels[order[at]];
    found++;
    most = Math.max(most, ++votes[labels[order[at]]]);
  }
  for (let at = 0; at < order.length && most; at++) if (kept[order[at]] && votes[labels[order[at]]] === most) return labels[order[at]];
  return -1;
}
const votes = new Int32Array(16); // asked for thousands of times a picture: one for all

/**
 * As `nearest` for every place of a grid, row by row.
 * @param {ArrayLike<number>[]} points [x, y] each
 * @param {ArrayLike<number>} labels whole numbers from 0, below 16
 * @param {ArrayLike<number>} at coordinates of the columns, and of the rows
 * @param {number} k
 * @returns {Int32Array} -1 without points
 */
export function regions(points, labels, at, k) {
  const count = points.length, all = new Uint8Array(count).fill(1), said = new Int32Array(at.length ** 2).fill(-1);
  const byHeight = Int32Array.from(points.keys()).sort((i, j) => points[i][1] - points[j][1]), last = Math.min(k, count) - 1;
  const xs = Float64Array.from(byHeight, (i) => points[i][0]), ys = Float64Array.from(byHeight, (i) => points[i][1]);
  const best = new Int32Array(last + 1), far = new Float64Array(last + 1);
  for (let row = 0, cell = 0, middle = 0; row < at.length && count; row++) {
    const y = at[row];
    while (middle < count && ys[middle] < y) middle++;
    for (let column = 0; column < at.length; column++, cell++) {
      far.fill(Infinity);
      // from the row outwards, down and up by turns, until those that are left are too far by their height alone
      for (let below = middle - 1, above = middle; below >= 0 || above < count; ) {
        const next = above >= count || (below >= 0 && y - ys[below] < ys[above] - y) ? below-- : above++, height = (ys[next] - y) ** 2;
        if (height > far[last]) break;
        const i = byHeight[next], away = (xs[next] - at[column]) ** 2 + height;
        let place = last + 1;
        while (place && (far[place - 1] > away || (far[place - 1] === away && best[place - 1] > i))) place--;
        for (let move = last; move > place; move--) (far[move] = far[move - 1]), (best[move] = best[move - 1]);
        if (place <= last) (far[place] = away), (best[place] = i);
      }
      said[cell] = vote(best, labels, all, k);
    }
  }
  return said;
}

/**
 * How often each training point is classified as it is labelled, by learners that have it and by learners that have
 * not: from random subsets of `size` points, the estimator of memorization scores.
 * @param {Int32Array[]} near for each point, the points from nearest to farthest
 * @param {ArrayLike<number>} labels
 * @param {{k: number, size: number, subsets: number, uniform: () => number}} how
 * @returns {{inside: Float64Array, outside: Float64Array}} NaN for a point that no subset has, or every subset
 */
export function rates(near, labels, { k, size, subsets, uniform }) {
  const n = near.length, hits = [new Float64Array(n), new Float64Array(n)], seen = [new Float64Array(n), new Float64Array(n)];
  const deck = new Int32Array(n), kept = new Uint8Array(n);
  for (let s = 0; s < subsets; s++) {
    kept.fill(0);
    for (let i = 0; i < n; i++) deck[i] = i;
    for (let i = 0; i < size; i++) {
      const j = i + Math.floor(uniform() * (n - i)), taken = deck[j];
      deck[j] = deck[i];
      deck[i] = taken;
      kept[taken] = 1;
    }
    for (let i = 0; i < n; i++) {
      seen[kept[i]][i]++;
      if (vote(near[i], labels, kept, k) === labels[i]) hits[kept[i]][i]++;
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
  const kept = new Uint8Array(points.length).fill(1);
  return Int8Array.from(orders(points, points), (order, i) => {
    const among = vote(order, labels, kept, k) === labels[i];
    kept[i] = 0;
    const without = vote(order, labels, kept, k) === labels[i];
    kept[i] = 1;
    return among - without;
  });
}
