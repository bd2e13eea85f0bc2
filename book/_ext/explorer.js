/* Explorers of the built page (book/shared/explore.py): every picture is in the page, compressed; a control chooses one.
   The script stands in the page behind its first explorer, and is called again behind each other one. */
window.moving = [];
window.moveExplorers = (() => {
  "use strict";

  /* read piece by piece: what a stream's helpers do, they do in tasks of their own, behind the page's other scripts */
  const unpack = async (packed) => {
    const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
    writer.write(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)));
    writer.close();
    const reader = stream.readable.getReader(), decoder = new TextDecoder();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true });
    return JSON.parse(text);
  };

  const start = async (explorer) => {
    const states = await unpack(explorer.querySelector(".explorer-states").textContent);
    const picture = explorer.querySelector(".explorer-picture");
    const controls = [...explorer.querySelectorAll("[data-says]")].map((control) => ({
      control,
      says: JSON.parse(control.dataset.says),
      at: () => Number((control.matches("input") ? control : control.querySelector(":checked")).value),
    }));

    const move = () => {
      let index = 0;
      for (const { control, says, at } of controls) {
        index = index * says.length + at();
        if (!control.matches("input")) continue;
        control.setAttribute("aria-valuetext", says[at()]);
        control.parentElement.querySelector("output").textContent = says[at()];
      }
      const told = picture.querySelector(".explorer-words[open]");
      picture.innerHTML = states[index];
      if (told) picture.querySelector(".explorer-words").open = true;
    };
    explorer.querySelectorAll("[disabled]").forEach((input) => (input.disabled = false));
    explorer.addEventListener("input", move);
    explorer.dataset.moves = "yes";
    /* a browser that comes back to a page puts its controls where they stood, before or after this */
    const standing = (input) => (input.type === "radio" ? input.checked === input.defaultChecked : input.value === input.defaultValue);
    const back = () => [...explorer.querySelectorAll("input")].every(standing) || move();
    back();
    window.addEventListener("pageshow", back);
  };
  return () => document.querySelectorAll(".explorer:not([data-moves])").forEach((explorer) => {
    explorer.dataset.moves = "";
    if ("DecompressionStream" in window) window.moving.push(start(explorer));
  });
})();
moveExplorers();
