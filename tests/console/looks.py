# SPDX-License-Identifier: Apache-2.0
"""What would be wrong with a page: what axe finds; and on a phone, that it scrolls sideways, that words are cut, that a
finger misses something."""
from harness import ROOT

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LEAST_PX = 36  # high, of what is pressed; of links among words and of a list's marks axe has the measure
CUT = """() => {
  const wrong = [], edge = document.documentElement.clientWidth;
  const within = document.querySelector('dialog[open]') ?? document.body;
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const text = walker.currentNode, of = text.parentElement;
    if (!text.data.trim() || !of.checkVisibility() || of.closest('.unseen, .skip, svg, select')) continue;
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      let left = 0, right = edge;
      for (let one = of; one; one = one.parentElement) {
        const style = getComputedStyle(one);
        // It is scrolled to, or cut with dots: what has them tells the rest elsewhere.
        if (/auto|scroll/.test(style.overflowX) || (style.overflowX === 'hidden' && style.textOverflow === 'ellipsis')) {
          [left, right] = [-Infinity, Infinity];
          break;
        }
        if (/hidden|clip/.test(style.overflowX) || one.matches('button, .button, .badge, .chip, .card')) {
          const own = one.getBoundingClientRect();
          [left, right] = [Math.max(left, own.left), Math.min(right, own.right)];
        }
      }
      if (box.left < left - 1 || box.right > right + 1) wrong.push(`"${text.data.trim().slice(0, 60)}" from ${Math.round(box.left)} to ${Math.round(box.right)} is not within ${Math.round(left)} to ${Math.round(right)}`);
    }
  }
  return wrong;
}"""
MISSED = """least => [...document.querySelectorAll('button, .button, summary, select, input, textarea')]
  .filter((one) => one.checkVisibility() && !one.matches('.unseen *, button.link, .tick *'))
  .map((one) => [one, (one.closest('label.check') ?? one).getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && box.height < least)
  .map(([one, box]) => `${one.tagName} "${one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 40)}" is ${Math.round(box.height)} pixels high`)"""


def accessible(page, rules=None):
    """What axe finds that is serious; `rules`: of its rules, beside those that are usual."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {resultTypes: ['violations'], rules})", rules or {})
    return [f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"] if one["impact"] in SERIOUS for node in one["nodes"]]


def faults(page):
    """What is wrong with it on a phone."""
    wide = page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    return ([f"the page is {wide} pixels wide"] if wide > PHONE["viewport"]["width"] else []) + \
        page.evaluate(CUT) + page.evaluate(MISSED, LEAST_PX) + accessible(page, {"target-size": {"enabled": True}})
