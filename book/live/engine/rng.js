/** Seeded random numbers: the same seed gives the same draw in every browser, so that an address can name it. */

/**
 * Mix two whole numbers into a seed, so that every feature, row or network has a stream of its own.
 * @param {number} seed
 * @param {number} stream
 * @returns {number} a whole number in [0, 2^32)
 */
export function mix(seed, stream) {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A generator of uniform numbers in (0, 1), never 0 or 1: logarithms of them are finite.
 * Four words of state (sfc32), 24 rounds before the first number so that neighbouring seeds part.
 * @param {number} seed whole number
 * @returns {() => number}
 */
export function uniforms(seed) {
  let a = seed | 0, b = 0x1f123bb5, c = 0x6a09e667, count = 1;
  const next = () => {
    const t = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296 + 1.1641532182693481e-10;
  };
  for (let i = 0; i < 24; i++) next();
  return next;
}

/**
 * Standard normal numbers from uniform ones, two at a time (Box and Muller).
 * @param {() => number} uniform
 * @returns {() => number}
 */
export function normals(uniform) {
  let kept = null;
  return () => {
    if (kept !== null) {
      const second = kept;
      kept = null;
      return second;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * A random order of 0, ..., n - 1 (Fisher and Yates).
 * @param {number} n
 * @param {() => number} uniform
 * @returns {Int32Array}
 */
export function shuffled(n, uniform) {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
