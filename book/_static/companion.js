/* The static page's own touch: formulas that fit, focus for what scrolls, folds that print. */
(function () {
  "use strict";

  /* Where a formula may be broken: before a relation or a sign, after a comma; outside fractions, roots and brackets' own. */
  const BEFORE = /\bmjx-c(3D|2264|2265|3C|3E|2248|223C|2192|2B|2212|2260|21A6)\b/, AFTER = /\bmjx-c(2C|3B)\b/;
  const breakable = (box) => {
    let row = box.querySelector("mjx-math");
    while (row && row.children.length === 1 && /^MJX-(MROW|TEXATOM|MSTYLE)$/.test(row.firstElementChild.tagName)) row = row.firstElementChild;
    if (!row || row.querySelector(":scope > wbr")) return;
    const rows = [row, ...row.querySelectorAll(":scope > mjx-texatom, :scope > mjx-mrow")];
    rows.forEach((part) => [...part.children].forEach((child, at) => {
      const sign = child.tagName === "MJX-MO" && child.querySelector("mjx-c")?.className;
      if (!sign || !at) return;
      const place = document.createElement("wbr");
      if (BEFORE.test(sign)) child.before(place);
      else if (AFTER.test(sign)) child.after(place);
    }));
  };

  /* A formula wider than its column is set smaller, down to 70%, then broken into lines, then set smaller again. */
  const fit = () => {
    const formulas = [...document.querySelectorAll("article mjx-container")];
    formulas.forEach((box) => {
      if (!("size" in box.dataset)) box.dataset.size = parseFloat(box.style.fontSize) || 100;
      else if (box.dataset.fitted) box.style.fontSize = box.dataset.size + "%";
      delete box.dataset.fitted;
    });
    const ratios = formulas.map((box) => {
      const room = box.hasAttribute("display") ? box.clientWidth : box.closest("p, li, dd, td, figcaption, div").clientWidth;
      return room && box.scrollWidth > room + 1 ? room / box.scrollWidth : 1;
    });
    formulas.forEach((box, i) => {
      if (ratios[i] === 1) return;
      box.dataset.fitted = "yes";
      const set = (share) => { box.style.fontSize = box.dataset.size * share + "%"; };
      if (ratios[i] < 0.72 && box.hasAttribute("display")) {
        breakable(box);
        set(0.85);
        if (box.scrollWidth <= box.clientWidth + 1) return;
        set(Math.max(0.42, 0.84 * box.clientWidth / box.scrollWidth));
      } else set(Math.max(0.7, 0.99 * ratios[i]));
    });
  };

  /* What scrolls sideways can be reached and scrolled by keyboard. */
  const reach = () => {
    document.querySelectorAll("mjx-container[display], pre, .output, .companion-table, .table-wrapper, table.docutils").forEach((box) => {
      const scrolls = box.clientWidth > 0 && box.scrollWidth > box.clientWidth;
      if (scrolls && !box.hasAttribute("tabindex")) {
        box.setAttribute("tabindex", "0");
        box.dataset.reached = "yes";
      } else if (!scrolls && (box.dataset.reached || box.matches(".companion-table"))) {
        box.removeAttribute("tabindex");
        delete box.dataset.reached;
      }
    });
  };

  /* A table wider than its column is set in a smaller hand whose words may break; if that is not enough, each of its
     rows becomes a card with the names of the columns before the values. Nothing is scrolled to, nothing is cut. */
  const holders = ".companion-table, .pst-scrollable-table-container, .table-wrapper";
  const reshape = () => {
    document.querySelectorAll("article table").forEach((table) => {
      const box = table.closest(holders) || table.parentElement;
      if (!box.clientWidth || table.closest(".live")) return; /* folded away: measured when it is opened */
      const wide = () => table.offsetWidth > box.clientWidth + 1 || box.scrollWidth > box.clientWidth + 1;
      table.classList.remove("tight", "cards");
      if (wide()) table.classList.add("tight");
      const heads = table.querySelectorAll("thead tr:last-child th");
      const cards = wide() && heads.length > 1;
      table.classList.toggle("cards", cards);
      if (cards) table.classList.remove("tight");
      /* shown as cards it is still a table for those who hear it */
      [["table", table], ["rowgroup", ...table.querySelectorAll("thead, tbody")], ["row", ...table.querySelectorAll("tr")],
        ["columnheader", ...heads], ["cell", ...table.querySelectorAll("td")]].forEach(([role, ...parts]) =>
        parts.forEach((part) => (cards ? part.setAttribute("role", role) : part.removeAttribute("role"))));
      if (!cards) return;
      table.querySelectorAll("tbody tr").forEach((row) => [...row.children].forEach((cell, at) => {
        if (heads[at]) cell.dataset.name = heads[at].textContent.trim();
      }));
    });
  };

  /* What is folded on the screen is printed: proofs, solutions. */
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("article details.sd-dropdown:not([open])").forEach((fold) => {
      fold.dataset.printed = "yes";
      fold.open = true;
    });
  });
  window.addEventListener("afterprint", () => {
    document.querySelectorAll("article details[data-printed]").forEach((fold) => {
      delete fold.dataset.printed;
      fold.open = false;
    });
  });

  /* MathJax takes the page for seconds on a phone, so it starts when all that moves does (mathjax_options in _config.yml). */
  const typeset = async () => {
    const source = document.querySelector("link[href*=mathjax i]");
    if (!source) return;
    await Promise.allSettled(window.moving ?? []);
    const script = Object.assign(document.createElement("script"), { src: source.href });
    await new Promise((over) => {
      script.onload = script.onerror = over;
      document.head.append(script);
    });
    await window.MathJax?.startup?.promise;
  };

  window.addEventListener("load", () => {
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    const both = () => frame().then(() => { reshape(); fit(); reach(); });
    const set = typeset();
    if (window.MathJax) window.MathJax.typesetPromise = (boxes) => set.then(() => window.MathJax.typeset?.(boxes)); /* for a preview that opens before */
    /* what it sets is measured when it is done, and again in its own letters */
    both().then(() => set).then(both).then(() => document.fonts.ready).then(both).then(() => {
      document.documentElement.dataset.settled = "yes"; /* for tests: nothing is measured anew unasked */
    });
    document.fonts.addEventListener("loadingdone", both);
    /* whatever else makes a table wider; what reshape itself does ends in the same size and calls nobody */
    const grown = new ResizeObserver(both);
    document.querySelectorAll("article table").forEach((table) => grown.observe(table));
    window.addEventListener("resize", both);
    document.querySelectorAll("article details").forEach((fold) => fold.addEventListener("toggle", both));
  });
})();

/* Docutils calls the bibliography a list, but its children are entries and links back, which a list may not hold. */
document.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".citation-list[role=list]").forEach((list) => list.removeAttribute("role")));

/* Opened from disk, a browser lets no script read the other pages: the search lists them without excerpts, and says so. */
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  document.addEventListener("DOMContentLoaded", () => {
    const results = document.getElementById("search-results");
    if (!results) return;
    const note = document.createElement("p");
    note.className = "search-note";
    note.textContent = "Opened from disk, the search names pages without excerpts; served by make serve, it shows them.";
    results.before(note);
  });
}

/* A link into a folded part, a statement's say, unfolds it; not every browser does so by itself. */
const unfold = () => {
  const aim = document.getElementById(location.hash.slice(1));
  for (let fold = aim?.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) {
    fold.open = true;
    aim.scrollIntoView();
  }
};
window.addEventListener("hashchange", unfold);
document.addEventListener("DOMContentLoaded", unfold);
