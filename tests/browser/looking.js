// What is asked of a page of the gallery from inside: functions that answer with a list of complaints.
// Run by the browser's debugger, so that no page has to allow it.
(() => {
  const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
  const COLOURS = ["color-contrast", "link-in-text-block"];

  const name = (element) => {
    const id = element.id ? `#${element.id}` : "";
    const classes = typeof element.className === "string" && element.className ? `.${element.className.trim().replace(/\s+/g, ".")}` : "";
    return `<${element.localName}${id}${classes}>`;
  };
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const everything = () => [...document.querySelectorAll("body, body *")].filter(isShown);

  async function axe(onlyColours) {
    const runOnly = onlyColours ? { type: "rule", values: COLOURS } : { type: "tag", values: ALL };
    const rules = onlyColours ? {} : { "target-size": { enabled: true } };
    const options = { runOnly, rules, resultTypes: ["violations"], preload: false, elementRef: false };
    const { violations } = await window.axe.run(document, options);
    return violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 4).map(({ target, html, failureSummary }) =>
        `${id}: ${target.join(" ")} ${html.slice(0, 160)} ${failureSummary.replace(/\s+/g, " ").slice(0, 300)}`),
    );
  }

  /** The frame of a page, which axe asks less of than we do. */
  function frame(language) {
    const said = [];
    if (document.documentElement.lang !== language) said.push(`lang is ${document.documentElement.lang}`);
    if (!/ · Engawa$|^Engawa$/.test(document.title)) said.push(`its title is “${document.title}”`);
    const headings = document.querySelectorAll("h1").length;
    const inside = document.querySelector("engawa-room")?.shadowRoot?.querySelectorAll("h1").length ?? 0;
    if (headings + inside !== 1 && !(headings === 1 && inside === 1)) said.push(`it has ${headings} headings of level 1`);
    return said;
  }

  /** Nobody scrolls sideways; what scrolls in itself, as code does, does not count. */
  function reflow() {
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth > clientWidth) {
      const wide = everything().filter((each) => each.getBoundingClientRect().right > clientWidth + 1).slice(-3);
      return [`it is ${scrollWidth} wide, on a screen of ${clientWidth}: ${wide.map(name)}`];
    }
    const scrollers = everything().filter(
      (each) => each.scrollWidth > each.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(each).overflowX) && !each.closest("pre, table, code") && !each.querySelector(":scope > table") && !/^(textarea|input|select)$/.test(each.localName),
    );
    return scrollers.map((each) => `${name(each)} scrolls sideways`);
  }

  /** Text as WCAG 1.4.12 lets readers space it. */
  function space() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const clipped = everything().filter((each) => {
      const style = getComputedStyle(each);
      if (!/hidden|clip/.test(style.overflowY) || style.textOverflow === "ellipsis" || each.closest("[data-is-cut], .page--wall") || style.webkitLineClamp !== "none") return false;
      return each.clientHeight > 4 && each.scrollHeight > each.clientHeight + 2 && each.textContent.trim();
    });
    return [...reflow(), ...clipped.map((each) => `${name(each)} cuts its text off`)];
  }

  /** In forced colours only borders tell a field from what is around it. */
  function forced() {
    const fields = everything().filter((each) => each.matches(".field, .button:not(.button--quiet), input[type=text]"));
    return fields
      .filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) < 1)
      .map((each) => `${name(each)} has no border in forced colours`);
  }

  /** Remembers of each element that gets the focus whether that can be seen. */
  function watchFocus() {
    const steps = [];
    const see = (element) => {
      const inner = element.shadowRoot?.activeElement;
      if (inner) return see(inner);
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const { width, height } = element.getBoundingClientRect();
      const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
      const isThere = width > 0 && height > 0 && isShown(element);
      return { element, name: name(element), isSeen: isSeen && isThere };
    };
    addEventListener("focusin", () => steps.push(see(document.activeElement)), true);
    window.engawaFocus = steps;
  }

  /** What it saw: how many stops, and those that cannot be seen. */
  function seenFocus() {
    const steps = window.engawaFocus;
    const stops = new Set(steps.map(({ element }) => element));
    const unseen = new Set(steps.filter(({ isSeen }) => !isSeen).map((step) => step.name));
    const stopping = [...document.querySelectorAll("a[href], button, textarea, select, summary, [tabindex='0']")].filter(
      (each) => each.tabIndex >= 0 && !each.disabled && isShown(each) && !each.closest("[inert]") && !each.matches("#log > li"), // of those one is a stop, in turn
    );
    const missed = document.querySelector("dialog:modal, [role=menu]") ? undefined : stopping.find((each) => !stops.has(each));
    const isRound = steps.slice(1).some(({ element }) => element === steps[0].element);
    return { isRound, unseen: [...unseen], missed: missed ? name(missed) : "" };
  }

  window.looking = { axe, frame, reflow, space, forced, watchFocus, seenFocus };
})();
