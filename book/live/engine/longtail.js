/**
 * The long-tailed linear model: sampling, minimum norm, ridge, peeling, certificates, exact risks.
 *
 * A design is kept by columns, `{ n, d, start, row, value }`: the entries of feature i are those at start[i] up to
 * start[i + 1]. No dense (n, d) array exists, except in `certificates`, which is for small designs.
 * @typedef {{n: number, d: number, start: Int32Array, row: Int32Array, value: Float64Array}} Design
 */
import { mix, normals, uniforms } from "./rng.js";

/**
 * Frequencies p_i = min(1, c i^-alpha), where c makes them sum to s before the cut at 1.
 * @param {number} d
 * @param {number} s
 * @param {number} alpha
 * @returns {Float64Array}
 */
export function frequencies(d, s, alpha) {
  const weight = new Float64Array(d);
  let total = 0;
  for (let i = 0; i < d; i++) total += weight[i] = (i + 1) ** -alpha;
  for (let i = 0; i < d; i++) weight[i] = Math.min(1, (s / total) * weight[i]);
  return weight;
}

/**
 * True coefficients beta_i = i^-exponent.
 * @param {number} d
 * @param {number} exponent
 * @returns {Float64Array}
 */
export const coefficients = (d, exponent) => Float64Array.from({ length: d }, (_, i) => (i + 1) ** -exponent);

/**
 * A random sign design: row r holds feature i with probability p[i], with a fair sign.
 *
 * Every cell owns a uniform number, and holds an entry if that number is below p[i]. Only the numbers below p[i] are
 * drawn, smallest first, so that the cost is that of the entries. A design for slightly other p, or for more rows
 * (with the same `capacity`), is therefore the same design with some entries more or fewer: nothing jumps under a slider.
 * @param {{n: number, p: Float64Array, seed: number, capacity?: number}} how capacity: rows that could exist, >= n
 * @returns {Design}
 */
export function sample({ n, p, seed, capacity = n }) {
  const d = p.length, start = new Int32Array(d + 1), row = [], value = [];
  const held = new Int32Array(capacity).fill(-1); // the last feature that a row was given
  for (let i = 0; i < d; i++) {
    const uniform = uniforms(mix(seed, i));
    let above = 1; // one minus the smallest uniform number so far
    for (let left = capacity; left > 0; left--) {
      above *= uniform() ** (1 / left);
      if (1 - above >= p[i] && p[i] < 1) break;
      let r = Math.floor(uniform() * capacity);
      while (held[r] === i) r = Math.floor(uniform() * capacity);
      held[r] = i;
      const sign = uniform() < 0.5 ? -1 : 1;
      if (r < n) {
        row.push(r);
        value.push(sign);
      }
    }
    start[i + 1] = row.length;
  }
  return { n, d, start, row: Int32Array.from(row), value: Float64Array.from(value) };
}

/**
 * Standard normal noise, one number a row; scale it by sigma.
 * @param {number} n
 * @param {number} seed
 * @returns {Float64Array}
 */
export function noise(n, seed) {
  const normal = normals(uniforms(mix(seed, -1)));
  return Float64Array.from({ length: n }, normal);
}

/**
 * A design from rows given as lists of [feature, value].
 * @param {Array<Array<[number, number]>>} rows
 * @param {number} d
 * @returns {Design}
 */
export function fromRows(rows, d) {
  const columns = Array.from({ length: d }, () => []);
  rows.forEach((entries, r) => entries.forEach(([i, x]) => columns[i].push([r, x])));
  const start = new Int32Array(d + 1);
  columns.forEach((entries, i) => (start[i + 1] = start[i] + entries.length));
  const flat = columns.flat();
  return {
    n: rows.length, d, start,
    row: Int32Array.from(flat, ([r]) => r),
    value: Float64Array.from(flat, ([, x]) => x),
  };
}

/**
 * X b.
 * @param {Design} X
 * @param {ArrayLike<number>} b
 * @returns {Float64Array} one number a row
 */
export function times(X, b) {
  const out = new Float64Array(X.n);
  for (let i = 0; i < X.d; i++) {
    if (b[i] !== 0) for (let e = X.start[i]; e < X.start[i + 1]; e++) out[X.row[e]] += X.value[e] * b[i];
  }
  return out;
}

/**
 * X^T r.
 * @param {Design} X
 * @param {ArrayLike<number>} r
 * @returns {Float64Array} one number a feature
 */
export function transposed(X, r) {
  const out = new Float64Array(X.d);
  for (let i = 0; i < X.d; i++) {
    let sum = 0;
    for (let e = X.start[i]; e < X.start[i + 1]; e++) sum += X.value[e] * r[X.row[e]];
    out[i] = sum;
  }
  return out;
}

/**
 * In how many rows each feature occurs.
 * @param {Design} X
 * @returns {Int32Array}
 */
export const counts = (X) => Int32Array.from({ length: X.d }, (_, i) => X.start[i + 1] - X.start[i]);

/**
 * The columns that hold an entry, and their numbers.
 * @param {Design} X
 * @returns {{part: Design, seen: number[]}}
 */
export function onlySeen(X) {
  const seen = [];
  for (let i = 0; i < X.d; i++) if (X.start[i + 1] > X.start[i]) seen.push(i);
  return { part: { ...X, d: seen.length, start: Int32Array.of(...seen.map((i) => X.start[i]), X.row.length) }, seen };
}

/**
 * The minimiser of ||y - X b||^2 + mu ||b||^2 by conjugate gradients from zero. Started at zero they never leave the
 * row space, so that for mu = 0 they end at the solution of minimum norm.
 * @param {Design} X
 * @param {ArrayLike<number>} y
 * @param {number} [mu] n lambda of the ridge; 0 for the minimum norm
 * @returns {{b: Float64Array, iterations: number}}
 */
export function cgls(X, y, mu = 0) {
  const { part, seen } = onlySeen(X), b = new Float64Array(X.d), found = whereSeen(part, y, mu);
  seen.forEach((i, j) => (b[i] = found.b[j]));
  return { b, iterations: found.iterations };
}

/** `cgls` where every feature occurs: in a long tail most do not, and would only be carried along. */
function whereSeen(X, y, mu) {
  const b = new Float64Array(X.d), residual = Float64Array.from(y);
  let gradient = transposed(X, residual), size = dot(gradient, gradient);
  const direction = Float64Array.from(gradient), goal = size * 1e-28; // relative gradient 1e-14: rounding's own
  let iterations = 0, best = size, since = 0;
  // a gradient that has not halved for as many steps as there are rows is at the floor that rounding sets
  while (size > goal && since < X.n + 50 && iterations < 20 * (X.n + 50)) {
    const along = times(X, direction), curvature = dot(along, along) + mu * dot(direction, direction);
    const step = size / curvature;
    for (let i = 0; i < X.d; i++) b[i] += step * direction[i];
    for (let r = 0; r < X.n; r++) residual[r] -= step * along[r];
    gradient = transposed(X, residual);
    if (mu) for (let i = 0; i < X.d; i++) gradient[i] -= mu * b[i];
    const next = dot(gradient, gradient), ratio = next / size;
    for (let i = 0; i < X.d; i++) direction[i] = gradient[i] + ratio * direction[i];
    size = next;
    since = size < best / 4 ? 0 : since + 1;
    best = Math.min(best, size);
    iterations++;
  }
  return { b, iterations };
}

/**
 * Ridge: the minimiser of (1/n) ||y - X b||^2 + lam ||b||^2.
 * @param {Design} X
 * @param {ArrayLike<number>} y
 * @param {number} lam
 * @returns {Float64Array}
 */
export const ridge = (X, y, lam) => cgls(X, y, X.n * lam).b;

/**
 * Gradient descent from zero, b <- b - lr (2/n) X^T (X b - y).
 * @param {Design} X
 * @param {ArrayLike<number>} y
 * @param {number} steps
 * @param {number} lr
 * @returns {Float64Array}
 */
export function gradientDescent(X, y, steps, lr) {
  const b = new Float64Array(X.d);
  for (let t = 0; t < steps; t++) {
    const residual = times(X, b);
    for (let r = 0; r < X.n; r++) residual[r] -= y[r];
    const gradient = transposed(X, residual);
    for (let i = 0; i < X.d; i++) b[i] -= ((2 * lr) / X.n) * gradient[i];
  }
  return b;
}

/**
 * n / (largest singular value)^2, by 60 steps of the power method: gradient descent converges below it.
 * @param {Design} X
 * @returns {number}
 */
export function largestStep(X) {
  let v = Float64Array.from({ length: X.d }, (_, i) => 1 + 1 / (i + 2)), square = 0; // no pattern of signs cancels it
  for (let t = 0; t < 60; t++) {
    const next = transposed(X, times(X, v));
    square = Math.sqrt(dot(next, next));
    if (square === 0) return Infinity;
    v = next.map((x) => x / square);
  }
  return X.n / square;
}

/**
 * Peeling: the round in which a row whose only unresolved feature it is releases a feature; -1 never.
 * The first k features count as known (round 0).
 * @param {Design} X
 * @param {number} [k]
 * @returns {{round: Int32Array, by: Int32Array}} by: the row that released the feature, -1 if none did
 */
export function peel(X, k = 0) {
  const round = new Int32Array(X.d).fill(-1), by = new Int32Array(X.d).fill(-1);
  const left = new Int32Array(X.n), last = new Float64Array(X.n); // features left in a row, and the sum of their numbers
  for (let i = 0; i < X.d; i++) {
    if (i < k) round[i] = 0;
    else for (let e = X.start[i]; e < X.start[i + 1]; e++) left[X.row[e]]++, (last[X.row[e]] += i);
  }
  let ready = [...left.keys()].filter((r) => left[r] === 1);
  for (let step = 1; ready.length; step++) {
    const released = [];
    for (const r of ready) {
      const i = last[r]; // the only one left is the sum of those left
      if (round[i] === -1) (round[i] = step), (by[i] = r), released.push(i);
    }
    const next = [];
    for (const i of released) {
      for (let e = X.start[i]; e < X.start[i + 1]; e++) {
        const r = X.row[e];
        last[r] -= i;
        if (--left[r] === 1) next.push(r);
      }
    }
    ready = next.filter((r) => left[r] === 1);
  }
  return { round, by };
}

/**
 * Certificates of a small design (dense, n times the square of the smaller side): P_ii = 1 exactly where the rows
 * determine coefficient i, h_rr = 1 exactly where row r is fitted whatever its label says.
 * @param {Design} X
 * @returns {{P: Float64Array, h: Float64Array, rank: number}}
 */
export function certificates(X) {
  const rows = Array.from({ length: X.n }, () => new Float64Array(X.d));
  const columns = Array.from({ length: X.d }, () => new Float64Array(X.n));
  for (let i = 0; i < X.d; i++) {
    for (let e = X.start[i]; e < X.start[i + 1]; e++) columns[i][X.row[e]] = rows[X.row[e]][i] = X.value[e];
  }
  const onto = (vectors, size) => {
    const diagonal = new Float64Array(size), basis = orthonormal(vectors);
    for (const q of basis) for (let j = 0; j < size; j++) diagonal[j] += q[j] * q[j];
    return [diagonal, basis.length];
  };
  const [P, rank] = onto(rows, X.d);
  return { P, h: onto(columns, X.n)[0], rank };
}

/** An orthonormal basis of the span, by Gram and Schmidt, each vector cleaned twice; dependent ones are dropped. */
function orthonormal(vectors) {
  const basis = [];
  for (const vector of vectors) {
    const size = Math.sqrt(dot(vector, vector));
    if (size === 0) continue;
    const rest = Float64Array.from(vector);
    for (let twice = 0; twice < 2; twice++) {
      for (const q of basis) {
        const share = dot(q, rest);
        for (let j = 0; j < rest.length; j++) rest[j] -= share * q[j];
      }
    }
    const length = Math.sqrt(dot(rest, rest));
    if (length > 1e-9 * size) basis.push(rest.map((x) => x / length));
  }
  return basis;
}

/**
 * Exact excess risk on fresh rows, sum_i p_i (b_i - beta_i)^2.
 * @param {ArrayLike<number>} b
 * @param {ArrayLike<number>} beta
 * @param {ArrayLike<number>} p
 * @returns {number}
 */
export function populationRisk(b, beta, p) {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += p[i] * (b[i] - beta[i]) ** 2;
  return sum;
}

/**
 * Exact excess risk on rows of t features, a uniform subset of `features` with fair signs.
 * @param {ArrayLike<number>} b
 * @param {ArrayLike<number>} beta
 * @param {ArrayLike<number>} features
 * @param {number} t
 * @returns {number} NaN if there are fewer than t features
 */
export function compositionRisk(b, beta, features, t) {
  if (features.length < t) return NaN;
  let sum = 0;
  for (const i of features) sum += (b[i] - beta[i]) ** 2;
  return (t / features.length) * sum;
}

/**
 * Mean squared residual on the training rows.
 * @param {Design} X
 * @param {ArrayLike<number>} y
 * @param {ArrayLike<number>} b
 * @returns {number}
 */
export const trainingLoss = (X, y, b) => times(X, b).reduce((sum, fit, r) => sum + (fit - y[r]) ** 2, 0) / X.n;

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b @returns {number} the inner product */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
