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
