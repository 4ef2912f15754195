// @ts-check

// A pixel may be cut in two.
const HAIR_PX = 1;
// A message that fills what is seen has paragraphs, and those may have lists and lines.
const DEEPEST = 3;

/**
 * What a reader has before them at the top: the first message that begins in view, and inside one that fills the view,
 * the first part of it that does.
 * @param {Element} view
 * @param {Element} list
 * @returns {Element | null}
 */
export function topmost(view, list) {
  const { top, bottom } = view.getBoundingClientRect();
  const edge = top + view.clientTop;
  let found = firstBelow(list.children, edge);
  for (let depth = 0; found && depth < DEEPEST; depth++) {
    if (found.getBoundingClientRect().top >= edge - HAIR_PX) return found;
    const next = found.nextElementSibling;
    if (next && next.getBoundingClientRect().top < bottom) return next;
    const parts = depth ? found.children : found.querySelector(".message__body")?.children;
    const part = parts && firstBelow(parts, edge);
    if (!part) return found;
    found = part;
  }
  return found;
}

/** The first that ends below an edge; they stand in order. @param {HTMLCollection} elements @param {number} edge */
function firstBelow(elements, edge) {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (elements[middle].getBoundingClientRect().bottom > edge + HAIR_PX) high = middle;
    else low = middle + 1;
  }
  return elements[low] ?? null;
}
