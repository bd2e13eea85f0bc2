/** Ask it: a tiny language model trains in the page on a text with facts and a rule, and answers a typed question. */
import { explorable, escape, number, resources, training } from "./frame.js";
import { answer, neverBeside, NAMES, read, village, WORDS } from "./speaker.js";

const GOOD = "var(--companion-training)", OTHER = "var(--companion-fresh)";

/** What a model was trained on, as text: a model answers for the text that it read, whatever the sliders say by now. */
const settings = ({ seed, who, times, width }) => JSON.stringify({ seed, who, times, width });

function compute(state, { last, running }) {
  const question = read(state.asked), world = village(state), progress = running || last ? last?.share ?? 0 : 0;
  const told = last && !question.error ? answer(last.model, question, village(last.how)) : null;
  return { question, world, told, stale: Boolean(told) && settings(last.how) !== settings(state), progress, running };
}

const mark = ({ right, never }) => `${right ? " ✓" : ""}${never ? " <em>new</em>" : ""}`;

/** What the text says of what is asked. */
function source(question, world) {
  if (question.error) return "";
  if (question.who === undefined) {
    const verbs = neverBeside(world, question).map((verb) => `“${verb}”`);
    return `The text never puts ${verbs.slice(0, -1).join(", ")} or ${verbs.at(-1)} after “${question.prompt.map((word) => WORDS[word]).join(" ")}”.`;
  }
  return `${NAMES[question.who]} lives in ${WORDS[world.home[question.who]]}${world.told[question.who] ? "" : ", which no sentence of the text says"}.`;
}

function view({ asked }, { question, world, told, stale, progress, running }) {
  const bars = told
    ? told.bars.map(({ word, chance, right, never }) =>
      `<div class="ask-bar"><span>${escape(word)}${mark({ right, never })}</span><div class="track"><i style="width:${number(100 * chance, 1)}%;background:${right ? GOOD : OTHER}"></i></div><b>${number(chance)}</b></div>`).join("")
    : `<p class="quiet-title">${question.error ? "" : "What it says stands here after training."}</p>`;
  const options = [...NAMES.slice(0, 12).map((name) => `${name} lives in`), "the dogs", "the child", "the robots", "the tree"].map((text) => `<option value="${text}"></option>`).join("");
  return `<div class="ask-line"><label>your question <input type="text" data-key="asked" value="${escape(asked)}" list="ask-questions" autocomplete="off" spellcheck="false" maxlength="40"></label>` +
    `<datalist id="ask-questions">${options}</datalist><button type="button" class="go" data-act="train">${running ? "Stop" : told ? "Again" : "Train"}</button></div>` +
    `<div class="ask-progress" role="img" aria-label="training ${number(100 * progress, 0)}%"><i style="width:${number(100 * progress, 0)}%"></i></div>` +
    `<div class="ask-bars${stale ? " stale" : ""}">${bars}</div><p class="quiet-title">${source(question, world)} ✓ marks what is right, “new” a verb that the text never puts beside this noun. ` +
    `Names: ${NAMES.slice(0, 6).join(", ")}, and so on to ${NAMES.at(-1)}.</p>`;
}

function say({ who, times, width }, { question, world, told, stale, progress, running }) {
  const facts = `The text has ${world.text.length} sentences and tells ${times === 0 ? "nowhere" : times === 1 ? "once" : `${times} times`} where ${NAMES[who]} lives; the model has width ${width}.`;
  if (question.error) return `${question.error} ${facts}`;
  if (!told) return `${facts} ${running ? "Training begins." : "Nothing is trained yet."}`;
  if (stale) return `${facts} The bars are still those of the model before this change.`;
  const when = progress < 1 ? `After ${number(100 * progress, 0)}% of the training it` : "It";
  const best = told.bars[0];
  if (question.who !== undefined) {
    return `${facts} <span class="live-reveal">${when} says ${best.word}, with probability ${number(best.chance)}; right is ${WORDS[world.home[question.who]]}, which has ${number(told.right)}.</span>`;
  }
  return `${facts} <span class="live-reveal">${when} puts a verb in the ${question.many ? "plural" : "singular"} with probability ${number(told.right)}; among verbs that never stood beside this noun, with probability ${number(told.newRight / told.newAny)}.</span>`;
}

function act(_state, _what, _found, memory) {
  memory[memory.running ? "stop" : "start"]?.();
  return null;
}

/** A setting that changes after the first run starts another one, a question does not. */
function alive(live) {
  const { memory } = live, field = () => live.el.querySelector("[data-key=asked]");
  let how = null; // what the run under way was asked to read
  training(live, {
    code: () => resources.speaker,
    key: settings,
    task() {
      const { seed, who, times, width } = live.state;
      how = { seed, who, times, width };
      return { ...how, width: Number(width) };
    },
    heard: (data) => (memory.last = { ...data, how }),
  });
  const again = memory.changed;
  memory.reset = memory.changed = () => {
    if (field().value !== live.state.asked) field().value = live.state.asked; // set from the address or by starting again
    const { who } = read(live.state.asked);
    if (who !== undefined && who !== live.state.who) return live.change({ who }); // the slider is that of the name asked last
    again();
  };
  live.el.addEventListener("keydown", ({ target, key }) => {
    if (key === "Enter" && target === field() && !memory.running) memory.start();
  });
}

export const spec = {
  name: "ask",
  title: "Ask a language model that trains in this page",
  ask: "Type a question, “Mira lives in” or “the dogs”, and train; then change how often the text tells the answer.",
  start: { asked: "Mira lives in", who: 0, times: 1, width: "16" },
  controls: [
    { key: "times", label: "times that the fact is told", kind: "range", min: 0, max: 20, step: 1, show: String },
    { key: "width", label: "width of the model", kind: "choice", options: ["4", "8", "16", "32"].map((width) => [width, width]) },
  ],
  draws: true,
  predict: {
    question: "Guess first: the text tells once where Mira lives. Will a model of width 16 know it, and one of width 4?",
    choices: ["Both will", "Only the wide one", "Neither"],
    reply: () => "Train, and see; then choose width 4. A question on grammar, “the dogs”, needs no sentence of its own.",
  },
  compute, view, say, act, alive,
  phrases: ({ times }, { world }) => ({ sentences: String(world.text.length), times: String(times) }),
};
export default explorable(spec);
