/**
 * What all explorables share: controls, state, words, address, drawing at most once a frame.
 *
 * An explorable is a specification (see `Spec`); `explorable(spec)` makes of it
 * - `render({ model, el })`, as anywidget asks, for a page or a notebook with a kernel;
 * - `still(state)`, the same HTML as a string, for the built page before any script has run;
 * - `phrases(state)`, what the prose beside it says.
 *
 * @typedef {Object} Spec
 * @property {string} name            as in the address and the file's name
 * @property {string} title
 * @property {string} ask             one sentence: what to do
 * @property {Object} start           the state at first; one flat object of numbers, booleans, strings and lists
 * @property {Object[]} controls      at most four: {key, label, kind: "range" | "toggle" | "choice", ...}
 * @property {boolean} [draws]        whether there is a new draw (its number is `seed` in the state)
 * @property {{question: string, choices: string[], reply: Function}} [predict]  asked before the reveal
 * @property {(state: Object, memory: Object) => any} compute   state -> numbers; `memory` is what `alive` keeps
 * @property {(state: Object, found: any) => string} view   the picture as HTML
 * @property {(state: Object, found: any) => string} say    the numbers in words, as HTML
 * @property {(state: Object, found: any) => Object} [phrases]  what the prose of the page takes up, by name
 * @property {(state: Object, what: string, found: any) => Object} [act]  a press on what carries `data-act`: new state
 * @property {(state: Object, what: string, at: {x: number, y: number, step?: number}, found: any) => Object} [drag]
 *           what carries `data-drag` was moved: the pointer in the picture's own units, or `step` of an arrow key
 * @property {(live: Object) => void} [alive]   called once a page runs it, for timers and workers
 */

/** Data and code of workers as text, by name: put here by the bundle, since a script from disk may not load another. */
export const resources = {};

export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** A number as a reader writes it: a true minus, thousands apart, at most `digits` decimals and no idle zeros. */
export function number(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits), [whole, part = ""] = text.split(".");
  const tail = part.replace(/0+$/, "");
  const said = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (tail ? `.${tail}` : "");
  return value < 0 && Number(text) !== 0 ? `−${said}` : said;
}

/** @param {Spec} spec */
export function explorable(spec) {
  const complete = (state) => ({ ...spec.start, ...(spec.draws ? { seed: 0 } : {}), ...state });

  const still = (given = {}) => {
    const state = complete(given), found = spec.compute(state, {});
    return skeleton(spec, state, true).replace("<!--picture-->", spec.view(state, found)).replace("<!--words-->", spec.say(state, found));
  };

  const render = ({ model, el }) => {
    const memory = {}, spans = {};
    let state = complete(model.get("state")), found, asked = false;
    const given = el.querySelector(".live-frame") && !model.get("shared"); // the built page has the first picture: nothing is laid out anew
    if (!given) el.innerHTML = still(state);
    el.querySelectorAll("[disabled]").forEach((control) => (control.disabled = false));
    const part = (name) => el.querySelector(`.live-${name}`), picture = part("picture");

    const draw = () => {
      asked = false;
      found = spec.compute(state, memory);
      morph(picture, spec.view(state, found));
      const words = spec.say(state, found);
      if (part("words").innerHTML !== words) part("words").innerHTML = words;
      for (const control of spec.controls) show(el, control, state);
      if (spec.draws) part("seed").textContent = state.seed;
      follow();
    };
    const follow = () => {
      for (const [key, phrase] of Object.entries(spec.phrases?.(state, found) ?? {})) {
        const there = spans[key] ?? [...document.querySelectorAll(`[data-follows="${spec.name}.${key}"]`)];
        if (document.readyState !== "loading") spans[key] = there; // a long page takes long to search
        for (const span of there) if (span.textContent !== phrase) span.textContent = phrase;
      }
    };
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(draw);
    };
    const change = (patch) => {
      if (!patch) return;
      state = { ...state, ...patch };
      model.set("state", state);
      model.save_changes();
      memory.changed?.();
      soon();
    };
    const live = { el, memory, change, soon, shared: model.get("shared"), get state() { return state; }, get found() { return found; } };

    el.addEventListener("input", ({ target }) => {
      const key = target.dataset.key;
      if (key) change({ [key]: target.type === "range" ? Number(target.value) : target.value });
    });
    el.addEventListener("click", ({ target }) => {
      const at = target.closest("[data-act], [data-toggle], [data-do]");
      if (!at || !el.contains(at)) return;
      if (at.dataset.toggle) change({ [at.dataset.toggle]: !state[at.dataset.toggle] });
      else if (at.dataset.do === "draw") change({ seed: state.seed + 1 });
      else if (at.dataset.do === "reset") {
        change(complete(model.get("start")));
        memory.reset?.();
      }
      else if (at.dataset.do === "guess") answered(at.dataset.choice);
      else if (at.dataset.act) change(spec.act(state, at.dataset.act, found, memory));
    });
    el.addEventListener("keydown", (event) => {
      const act = event.target.closest("[data-act]:not(button)"), drag = event.target.closest("[data-drag]");
      if (drag && event.key === " " && spec.act) change(spec.act(state, drag.dataset.drag, found, memory));
      else if (act && (event.key === "Enter" || event.key === " ")) change(spec.act(state, act.dataset.act, found, memory));
      else if (drag && /^Arrow/.test(event.key)) {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        change(spec.drag(state, drag.dataset.drag, { step }, found, memory));
      } else return;
      event.preventDefault();
    });
    let held = null;
    picture.addEventListener("pointerdown", (event) => {
      const at = event.target.closest("[data-drag]");
      if (!at) return;
      held = at.dataset.drag;
      picture.setPointerCapture(event.pointerId);
      event.preventDefault();
      change(spec.drag(state, held, place(picture, event), found, memory));
    });
    picture.addEventListener("pointermove", (event) => held && change(spec.drag(state, held, place(picture, event), found, memory)));
    for (const end of ["pointerup", "pointercancel"]) {
      picture.addEventListener(end, (event) => {
        if (held) spec.drop?.(live, held, event);
        held = null;
      });
    }

    const answered = (choice) => {
      part("asks").innerHTML = `<p>${spec.predict.reply(choice === "" ? null : Number(choice), state, found)}</p>`;
      el.classList.remove("live-hidden");
    };
    if (spec.predict && model.get("shared")) part("asks").remove(); // who was sent a state has been shown already
    else if (spec.predict) el.classList.add("live-hidden");
    const outside = () => {
      state = complete(model.get("state"));
      memory.changed?.();
      soon();
    };
    model.on("change:state", outside);
    draw();
    if (given) window.addEventListener("pageshow", () => spec.controls.forEach((control) => show(el, control, state))); // a browser may put them where they stood
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", follow); // text that was yet to come
    spec.alive?.(live);
  };
  /** What the prose of the page says at a state, by name. */
  const phrases = (given = {}) => {
    const state = complete(given);
    return spec.phrases?.(state, spec.compute(state, {})) ?? {};
  };
  return { render, still, phrases };
}

/** `memory.play` starts and pauses: `begin` (else a first step) at once, then every `pause` ms what `step` changes, until it gives nothing. */
export function player({ memory, change, soon }, pause, step, begin) {
  let timer = null;
  const next = () => {
    const patch = step();
    if (patch) change(patch);
    else memory.play();
  };
  memory.play = () => {
    clearInterval(timer);
    memory.playing = !memory.playing;
    if (memory.playing) {
      timer = setInterval(next, pause); // before the first step, which may be none and end it
      (begin ?? next)();
    }
    soon();
  };
}

/**
 * Training in a worker, by `memory.start` and `memory.stop`. Once it ran, a change of what `key` says of a state starts it again.
 *
 * @param {{code: Function, key: Function, task: Function, heard: Function, fresh?: Function}} how  gives the worker's code, of `resources`;
 *   what it is sent; what becomes of each report, whose `share` is 1 at the end; what an earlier run leaves that must go
 */
export function training(live, { code, key, task, heard, fresh = () => {} }) {
  const { memory } = live;
  let worker = null, trained = "", later = null;
  memory.stop = () => {
    worker?.terminate();
    worker = null;
    memory.running = false;
    live.soon();
  };
  memory.start = () => {
    memory.stop();
    const address = URL.createObjectURL(new Blob([code()], { type: "text/javascript" }));
    worker = new Worker(address);
    URL.revokeObjectURL(address);
    memory.running = true;
    fresh();
    trained = key(live.state);
    worker.onmessage = ({ data }) => {
      heard(data);
      if (data.share === 1) memory.stop();
      live.soon();
    };
    worker.postMessage(task());
  };
  memory.changed = () => {
    if (!trained || trained === key(live.state)) return;
    memory.stop();
    fresh();
    clearTimeout(later);
    later = setTimeout(memory.start, 500);
  };
}

/** Everything around the picture. Disabled where nothing listens yet. */
function skeleton(spec, state, off) {
  const disabled = off ? " disabled" : "";
  const controls = spec.controls.map((control) => {
    const { key, label, kind } = control;
    if (kind === "toggle") {
      return `<button type="button" class="live-toggle" data-toggle="${key}" aria-pressed="${!!state[key]}"${disabled}>${label}</button>`;
    }
    if (kind === "choice") {
      const options = control.options.map(([value, text]) =>
        `<label><input type="radio" name="${spec.name}-${key}" data-key="${key}" value="${value}"${state[key] === value ? " checked" : ""}${disabled}><span>${text}</span></label>`);
      return `<fieldset class="live-choice"><legend>${label}</legend>${options.join("")}</fieldset>`;
    }
    return `<label class="live-range"><span>${label}</span><output>${control.show(state[key], state)}</output><input type="range" data-key="${key}" ` +
      `min="${control.min}" max="${control.max}" step="${control.step}" value="${state[key]}" aria-valuetext="${escape(control.show(state[key], state))}"${disabled}></label>`;
  });
  const draw = spec.draws ? `<button type="button" data-do="draw"${disabled}>New draw</button><span class="live-draw">draw <span class="live-seed">${state.seed}</span></span>` : "";
  return `<section class="live-frame" aria-label="${escape(spec.title)}"><p class="live-title">${spec.title}</p><p class="live-ask">${spec.ask}</p>` +
    `<div class="live-controls">${controls.join("")}</div>${asks(spec, disabled)}` +
    `<div class="live-picture"><!--picture--></div><p class="live-words" aria-live="polite"><!--words--></p>` +
    `<div class="live-foot">${draw}<button type="button" data-do="reset"${disabled}>Start again</button></div></section>`;
}

/** The question before the reveal. It stands in the first picture too, so that the page does not move when it comes alive. */
function asks({ predict }, disabled) {
  if (!predict) return "";
  const buttons = [...predict.choices, "Just show me"].map((text, i) =>
    `<button type="button" data-do="guess" data-choice="${i < predict.choices.length ? i : ""}"${disabled}>${escape(text)}</button>`);
  return `<div class="live-asks"><p>${predict.question}</p>${buttons.join("")}</div>`;
}

/** A control shows the state, also where the state came from elsewhere. */
function show(el, { key, kind, show: written }, state) {
  if (kind === "toggle") return el.querySelector(`[data-toggle="${key}"]`).setAttribute("aria-pressed", !!state[key]);
  el.querySelectorAll(`[data-key="${key}"]`).forEach((input) => {
    if (kind === "choice") return void (input.checked = input.value === state[key]);
    input.value = state[key];
    input.setAttribute("aria-valuetext", written(state[key], state));
    input.closest("label").querySelector("output").textContent = written(state[key], state);
  });
}

/** Where the pointer is, in the units of the picture's first drawing. */
function place(picture, event) {
  const svg = picture.querySelector("svg[data-stage]") ?? picture.querySelector("svg"), { left, top, width } = svg.getBoundingClientRect();
  const scale = svg.viewBox.baseVal.width / width;
  return { x: (event.clientX - left) * scale, y: (event.clientY - top) * scale };
}

/** Make `box` hold `html`, changing what differs: focus, transitions and a drag under way survive. */
export function morph(box, html) {
  const wanted = box.cloneNode(false);
  wanted.innerHTML = html;
  children(box, wanted);
}

function children(old, wanted) {
  const have = [...old.childNodes], want = [...wanted.childNodes];
  want.forEach((node, i) => {
    const now = have[i];
    if (!now) old.append(node);
    else if (now.isEqualNode(node)) return; // most of a picture stays: quicker than to ask for each attribute
    else if (now.nodeName !== node.nodeName || now.nodeType !== node.nodeType) now.replaceWith(node);
    else if (now.nodeType === 3) {
      if (now.data !== node.data) now.data = node.data;
    } else {
      for (const name of node.getAttributeNames()) if (now.getAttribute(name) !== node.getAttribute(name)) now.setAttribute(name, node.getAttribute(name));
      for (const name of now.getAttributeNames()) if (!node.hasAttribute(name)) now.removeAttribute(name);
      if (!now.dataset.own) children(now, node); // what an explorable draws by itself (a canvas) is left alone
    }
  });
  have.slice(want.length).forEach((node) => node.remove());
}

/** Values of a state as text and back, by the kind that the start has. */
const write = (value) => (Array.isArray(value) ? value.join(",") : typeof value === "boolean" ? (value ? "1" : "0") : String(value));
const read = (text, like) =>
  Array.isArray(like) ? (text ? text.split(",").map((item) => (typeof like[0] === "string" ? item : Number(item))) : [])
  : typeof like === "boolean" ? text === "1" : typeof like === "number" ? Number(text) : text;

/**
 * In a page: every place of an explorable comes alive, with its state in the address's fragment.
 * Only what differs from the start is written, so that a page that nobody touched keeps its address.
 */
export function mount(spec, { render }) {
  document.querySelectorAll(`.live[data-live="${spec.name}"]`).forEach((el) => {
    const start = { ...spec.start, ...(spec.draws ? { seed: 0 } : {}), ...JSON.parse(el.dataset.state || "{}") };
    const address = () => {
      const given = [...new URLSearchParams(location.hash.slice(1))].filter(([key]) => key.startsWith(`${spec.name}.`));
      const known = given.map(([key, text]) => [key.slice(spec.name.length + 1), text]).filter(([key]) => key in start);
      return Object.fromEntries(known.map(([key, text]) => [key, read(text, start[key])]).filter(([, value]) => !Number.isNaN(value)));
    };
    const given = address();
    const values = { start, state: { ...start, ...given }, shared: Object.keys(given).length > 0 };
    const heard = [];
    const model = {
      get: (key) => values[key],
      set: (key, value) => (values[key] = value),
      on: (_event, call) => heard.push(call),
      save_changes() {
        clearTimeout(model.later); // browsers refuse more than a hundred addresses in a short time
        model.later = setTimeout(() => {
          const rest = new URLSearchParams(location.hash.slice(1).includes("=") ? location.hash.slice(1) : "");
          for (const key of Object.keys(start)) {
            if (write(values.state[key]) === write(start[key])) rest.delete(`${spec.name}.${key}`);
            else rest.set(`${spec.name}.${key}`, write(values.state[key]));
          }
          history.replaceState(null, "", `#${rest}`.replaceAll("%2C", ","));
        }, 200);
      },
    };
    window.addEventListener("hashchange", () => {
      values.state = { ...start, ...address() };
      heard.forEach((call) => call());
    });
    render({ model, el });
    if (values.shared) el.scrollIntoView({ block: "center" });
  });
}
