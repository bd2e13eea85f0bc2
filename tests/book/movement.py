"""How soon a page moves on a phone: from its first text until a control of each explorer and explorable has acted.

The phone's line gives 4 Mbit/s with 100 ms before each answer; its processor is four times slower than this one. Other
work on this machine counts towards the four. Where it makes the browser slower than that by itself, the line is slowed
in the same proportion, and the times are divided by it.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

from tests.book.pages import ROOT

SITE = ROOT / "_build" / "html"
LINE = 4e6 / 8  # bytes a second
LATENCY = 100  # ms
SLOWER = 4
SOON = 1.0  # s
PATIENCE = 60  # s
MOVES = ('class="explorer"', 'class="live"')
# A control is turned as soon as it can be: the movement is what then changes, in picture or words. In ms of the load.
WATCH = """(() => {
  const seen = (window.movement = { text: null, mathjax: null, things: [] }), boxes = new Map();
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name === 'first-contentful-paint') seen.text = one.startTime;
  }).observe({ type: 'paint', buffered: true });
  const turn = (control) => {
    if (control.matches('button')) return control.click();
    if (control.matches('[type=radio]')) control.checked = true;
    else control.value = control.value === control.max ? control.min : control.max;
    control.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const look = () => {
    if (!seen.mathjax && window.MathJax?.version) seen.mathjax = performance.now();
    for (const box of document.querySelectorAll('.explorer, .live[data-live]')) {
      if (boxes.has(box)) continue;
      const control = box.querySelector('[type=range], [type=radio]:not(:checked), [data-toggle], [data-do=draw]');
      if (!control || control.disabled) continue;
      const one = { wired: performance.now(), moved: null };
      boxes.set(box, one);
      seen.things.push(one);
      setTimeout(() => {
        const moved = new MutationObserver(() => (one.moved ??= performance.now()));
        for (const part of box.querySelectorAll('.explorer-picture, .live-picture, .live-words, output'))
          moved.observe(part, { subtree: true, childList: true, attributes: true });
        turn(control);
      });
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ['disabled'] });
})();"""


def moving():
    """Pages of the built site with something that moves, as paths from the site's root, and how many such things."""
    found = {}
    for path in sorted(SITE.glob("book/**/*.html")):
        text = path.read_text(encoding="utf-8")
        if count := sum(map(text.count, MOVES)):
            found[path.relative_to(SITE).as_posix()] = count
    return found


@dataclass(frozen=True)
class Load:
    moved: list[float]  # seconds from the first text to each movement
    before_mathjax: bool  # whether all could move before MathJax ran

    @property
    def last(self):
        return max(self.moved)


class Phone:
    """Cold loads of pages at `address`, on a phone."""

    def __init__(self, browser, address):
        self.browser, self.address, self.busy = browser, address, SLOWER
        self.system = browser.new_browser_cdp_session()

    def _clock(self):
        """Nanoseconds that the browser's threads have run, and have waited for a processor; none where nothing says."""
        ran = waited = 0
        for process in self.system.send("SystemInfo.getProcessInfo")["processInfo"]:
            for file in Path(f"/proc/{process['id']}/task").glob("*/schedstat"):
                try:
                    one = file.read_text().split()
                except OSError:  # a thread that ended
                    continue
                ran, waited = ran + int(one[0]), waited + int(one[1])
        return ran, waited

    def load(self, page, things):
        """One load, and how many times slower than this machine the phone was in it."""
        slower, longer = max(1, SLOWER / self.busy), max(1, self.busy / SLOWER)
        context = self.browser.new_context(viewport={"width": 390, "height": 844})
        at = context.new_page()
        line = context.new_cdp_session(at)
        line.send("Network.enable")
        speed = {"downloadThroughput": LINE / longer, "uploadThroughput": LINE / longer, "latency": LATENCY * longer}
        line.send("Network.emulateNetworkConditions", {"offline": False, **speed})
        line.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        at.add_init_script(WATCH)
        ran, waited = self._clock()
        at.goto(self.address + page, wait_until="commit")
        done = f"movement.text && movement.things.filter((one) => one.moved).length === {things}"
        late = time.monotonic() + PATIENCE
        while not at.evaluate(done) and time.monotonic() < late:
            at.wait_for_timeout(100)
        ran_then, waited_then = self._clock()
        seen = at.evaluate("movement")
        context.close()
        if ran_then > ran:
            self.busy = 1 + (waited_then - waited) / (ran_then - ran)
        if not seen["text"]:  # a browser without a screen at times begins no frame on a busy machine
            return Load([], False), 0.0
        ends = [one["moved"] or math.inf for one in seen["things"]] + [math.inf] * (things - len(seen["things"]))
        moved = [max(0, end - seen["text"]) / 1000 / longer for end in ends]
        first = seen["mathjax"] is None or all(one["wired"] <= seen["mathjax"] for one in seen["things"])
        return Load(moved, first), slower * self.busy / longer

    def loads(self, page, things, count=3, tries=10):
        """Some loads in which the phone was as slow as it should be, beginning with that in which all moved soonest.

        Raises
        ------
        RuntimeError
            There was none in `tries`, because what else this machine does changed too quickly.
        """
        self.load(page, things)  # says how busy the machine is, and has the server compress
        found = []
        for _ in range(tries):
            load, slow = self.load(page, things)
            if slow >= 0.8 * SLOWER:
                found.append(load)
            if len(found) == count:
                break
        if not found:
            raise RuntimeError(f"{page} was not timed: what else this machine does changed too quickly")
        return sorted(found, key=lambda load: load.last)
