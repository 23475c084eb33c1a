// The remembered theme, before the page is painted; so it is not deferred, and small.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch {
    // A browser that keeps nothing: the theme of the system.
  }
})();
