/** The worker of "Ask it": makes the village's text, trains a tiny language model on it, and tells how far it is. */
import { create, lossAndGradient, next, oneCycle } from "./engine/language.js";
import { adamw } from "./engine/network.js";
import { mix, shuffled, uniforms } from "./engine/rng.js";

export const NAMES = ["Mira", "Tomas", "Ada", "Ravi", "Lena", "Omar", "Ines", "Kofi", "Yuki", "Nils", "Zara", "Ivan", "Maya", "Hugo", "Leila",
  "Otto", "Nora", "Sami", "Vera", "Emil", "Asha", "Jan", "Rosa", "Tariq", "Mei", "Luca", "Edda", "Paul", "Noor", "Finn"];
export const CITIES = ["Oslo", "Lima", "Cairo", "Quito", "Delhi", "Turin", "Bonn", "Perth", "Kyoto", "Accra", "Minsk", "Dakar"];
const NOUNS = ["dog", "cat", "bird", "horse", "child", "singer", "robot", "farmer", "actor", "tree"].map((one) => [one, one === "child" ? "children" : `${one}s`]);
const VERBS = ["sleep", "run", "sing", "wait", "dance", "fall", "grow", "smile", "jump", "turn"].map((many) => [`${many}s`, many]);
export const WORDS = ["lives-in", "the", ".", ...NAMES, ...CITIES, ...NOUNS.flat(), ...VERBS.flat()];
const [IS, THE, END] = [0, 1, 2], name = 3, city = name + NAMES.length, noun = city + CITIES.length, verb = noun + 2 * NOUNS.length;
const HOW = { epochs: 40, batch: 32, lr: 0.01 }, MOST = 30, APART = 3;

/**
 * The text: "NAME lives-in CITY .", the i-th name 30/i times but for the one that is asked, told `times` times; and
 * "the NOUN VERB .", without three of the ten verbs for each noun, in either number.
 * @returns {{text: number[][], home: number[], told: number[], fresh: boolean[][]}}
 */
export function village({ seed, who, times }) {
  const uniform = uniforms(mix(seed, 41)), home = NAMES.map(() => city + Math.floor(uniform() * CITIES.length));
  const fresh = NOUNS.map(() => {
    const left = shuffled(VERBS.length, uniform).subarray(0, APART);
    return VERBS.map((_, b) => left.includes(b));
  });
  const told = NAMES.map((_, i) => (i === who ? times : Math.max(1, Math.round(MOST / (i + 1))))), text = [];
  told.forEach((count, i) => { for (let c = 0; c < count; c++) text.push([name + i, IS, home[i], END]); });
  fresh.forEach((row, a) => row.forEach((never, b) => { if (!never) for (const many of [0, 1]) text.push([THE, noun + 2 * a + many, verb + 2 * b + many, END]); }));
  return { text, home, told, fresh };
}

/** The verbs that the text never puts beside the noun asked for, in its number; none where a name is asked. */
export const neverBeside = ({ fresh }, { noun: a, many }) => (a === undefined ? [] : VERBS.map((both) => both[many]).filter((_, b) => fresh[a][b]));

/**
 * A question in words: [name, lives-in] or [the, noun], as whole numbers, or what is wrong with it.
 * "Mira", "Mira is in" and "Where does Mira live?" are "Mira lives in".
 * @param {string} question
 * @returns {{prompt?: number[], who?: number, noun?: number, many?: number, error?: string}}
 */
export function read(question) {
  const said = question.toLowerCase().replace(/[?.,]/g, " ").replace(/\s+/g, " ").trim()
    .replace(/^where (?:does|is) (\S+)(?: lives?)?$/, "$1").replace(/ (?:lives?(?: in)?|is(?: in)?)$/, "").replace(/\blives in\b/, "lives-in").split(" ").filter(Boolean);
  const lower = WORDS.map((word) => word.toLowerCase()), prompt = said.map((word) => lower.indexOf(word));
  const unknown = said.find((_, i) => prompt[i] < 0);
  if (unknown) return { error: `The text has no word “${unknown}”.` };
  if (prompt.length === 1 && prompt[0] >= name && prompt[0] < city) prompt.push(IS);
  if (prompt.length === 2 && prompt[0] >= name && prompt[0] < city && prompt[1] === IS) return { prompt, who: prompt[0] - name };
  if (prompt.length === 2 && prompt[0] === THE && prompt[1] >= noun && prompt[1] < verb) return { prompt, noun: (prompt[1] - noun) >> 1, many: (prompt[1] - noun) % 2 };
  return { error: "Ask “Mira lives in” or “the dogs”: a name, or a noun after “the”." };
}

/**
 * What the model says after a question: the likeliest words with their chances, and how likely the right ones are.
 * After a noun the last two are the likeliest verb that the text never puts beside it, in both numbers.
 */
export function answer(model, asked, { home, fresh }) {
  const chances = next(model, asked.prompt), order = [...chances.keys()].sort((i, j) => chances[j] - chances[i]);
  const right = (i) => (asked.who !== undefined ? i === home[asked.who] : i >= verb && (i - verb) % 2 === asked.many);
  const never = (i) => asked.noun !== undefined && i >= verb && fresh[asked.noun][(i - verb) >> 1];
  const one = order.find(never), both = one === undefined ? [] : order.filter((i) => i >= verb && (i - verb) >> 1 === (one - verb) >> 1);
  const top = [...order.filter((i) => !both.includes(i)).slice(0, 5 - both.length), ...both];
  const total = (which) => chances.reduce((sum, chance, i) => sum + (which(i) ? chance : 0), 0);
  return { bars: top.map((i) => ({ word: WORDS[i].replace("-", " "), chance: chances[i], right: right(i), never: never(i) })), right: total(right),
    newRight: total((i) => never(i) && right(i)), newAny: total(never) };
}

/** All of the training, an epoch at a time; `model` is the model so far. */
export function* speech({ seed, who, times, width }) {
  const { text } = village({ seed, who, times }), uniform = uniforms(mix(seed, 43)), model = create({ words: WORDS.length, width, length: 3, uniform });
  const count = model.weights.length, gradient = new Float64Array(count), mean = new Float64Array(count), square = new Float64Array(count);
  const batches = Math.ceil(text.length / HOW.batch), steps = HOW.epochs * batches;
  let step = 0;
  for (let epoch = 1; epoch <= HOW.epochs; epoch++) {
    const order = shuffled(text.length, uniform);
    for (let b = 0; b < batches; b++) {
      gradient.fill(0);
      lossAndGradient(model, Array.from(order.subarray(b * HOW.batch, (b + 1) * HOW.batch), (i) => text[i]), gradient);
      const rate = HOW.lr * oneCycle(step++, steps);
      adamw(model.weights, gradient, mean, square, step, rate, 0, 0.98);
    }
    yield { share: epoch / HOW.epochs, model };
  }
}

if (typeof WorkerGlobalScope !== "undefined") {
  self.onmessage = ({ data }) => {
    for (const step of speech(data)) self.postMessage(step);
  };
}
