// Before anything is shown: a room is read from its end. Modules come too late for that, and what was painted would move.
(() => {
  const scroller = document.getElementById("scroller");
  const isAboutOne = location.hash || scroller?.querySelector("[aria-current]");
  if (scroller && !isAboutOne) scroller.scrollTop = scroller.scrollHeight;
})();
