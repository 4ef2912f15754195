// @ts-check

/**
 * Has a <details> that covers what is below it close like a menu: by Escape, by a press beside it, and when the focus
 * goes elsewhere.
 * @param {HTMLDetailsElement} details
 */
export function closeLikeMenu(details) {
  const summary = /** @type {HTMLElement} */ (details.querySelector("summary"));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.preventDefault();
    event.stopPropagation();
    details.open = false;
    summary.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (details.open && !details.contains(/** @type {Node} */ (target))) details.open = false;
  });
  details.addEventListener("focusout", ({ relatedTarget }) => {
    const node = /** @type {Node | null} */ (relatedTarget);
    // A dialog gives the focus back to what it was opened from.
    if (node && !details.contains(node) && !/** @type {Element} */ (node).closest("dialog")) details.open = false;
  });
}
