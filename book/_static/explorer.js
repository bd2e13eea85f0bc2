/* Explorers of the built page (book/shared/explore.py): every picture is in the page, compressed; a control chooses one. */
(() => {
  "use strict";

  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(text).json();
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
    move(); // a browser that comes back to a page has kept where its controls stood
  };
  if ("DecompressionStream" in window) document.querySelectorAll(".explorer").forEach(start);
})();
