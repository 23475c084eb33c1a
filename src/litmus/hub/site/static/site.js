// What the pages do quicker than the server: search, copying, namespace, theme. Without it they work as well.
"use strict";

const stored = (name, value) => {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing.
  }
  return null;
};

// --- theme
const themeSwitch = document.querySelector("button.theme");
const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (darkSystem.matches ? "dark" : "light")) === "dark";
const showTheme = () => themeSwitch.setAttribute("aria-pressed", String(isDark()));
themeSwitch.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  stored("theme", theme);
  showTheme();
});
darkSystem.addEventListener("change", showTheme);
showTheme();

// --- search and filters; the same rules as site/finding.py
const form = document.getElementById("search");
if (form) {
  const box = form.elements.q;
  const cards = [...document.querySelectorAll("#cards > .card")];
  const count = document.getElementById("count");
  const clear = document.getElementById("clear");
  const none = document.getElementById("none");
  const names = ["q", "group", "privileges", "sandbox", "platform"];
  const plain = (text) => text.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);

  const fits = (data, wish, words) =>
    words.every((word) => data.text.includes(word)) &&
    ["group", "privileges", "sandbox"].every((name) => !wish[name] || wish[name] === data[name]) &&
    (!wish.platform || data.platforms.split("|").includes(wish.platform));

  const wished = () => Object.fromEntries(names.map((name) => [name, form.elements[name]?.value ?? ""]));

  const show = () => {
    const wish = wished();
    const words = plain(wish.q);
    let found = 0;
    for (const card of cards) {
      const shown = fits(card.dataset, wish, words);
      card.hidden = !shown;
      found += shown ? 1 : 0;
    }
    const text = found === 1 ? count.dataset.one : count.dataset.many.replace("{n}", found);
    if (count.textContent !== text) count.textContent = text;
    none.hidden = found > 0;
    const query = new URLSearchParams(location.search);
    for (const name of names) wish[name] ? query.set(name, wish[name]) : query.delete(name);
    clear.hidden = !names.some((name) => wish[name]);
    const address = query.size ? `?${query}` : location.pathname;
    history.replaceState(null, "", address);
    for (const link of document.querySelectorAll("a.switch[hreflang]")) {
      query.set("lang", link.hreflang);
      link.href = `?${query}`;
    }
  };

  const links = () => cards.filter((card) => !card.hidden).map((card) => card.querySelector("h3 a"));

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = links();
    if (found.length === 1) found[0].click();
    else found[0]?.focus();
  });
  clear.addEventListener("click", (event) => {
    event.preventDefault();
    box.value = "";
    for (const select of form.querySelectorAll("select")) select.value = "";
    form.querySelector("input[name=group][value='']").checked = true;
    show();
    box.focus();
  });
  // Arrows lead from the box into the cards, through them, and back.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const found = links();
    const here = found.indexOf(document.activeElement);
    if (here < 0 && (document.activeElement !== box || event.key === "ArrowUp")) return;
    event.preventDefault();
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? box : found[next])?.focus();
  });
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });
  // After "back" a browser fills the fields again without telling.
  addEventListener("pageshow", () => {
    const query = new URLSearchParams(location.search);
    if (names.some((name) => (query.get(name) ?? "") !== wished()[name])) show();
  });
} else {
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.querySelector("a.brand").click();
    }
  });
}

// --- namespace of the commands
const namespace = document.getElementById("namespace");
if (namespace) {
  const problem = document.getElementById("namespace-problem");
  const allowed = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  const apply = () => {
    const value = namespace.value.trim();
    const good = allowed.test(value);
    namespace.setAttribute("aria-invalid", String(!good));
    problem.textContent = good ? "" : problem.dataset.message;
    if (!good) return;
    for (const place of document.querySelectorAll("[data-namespace]")) place.textContent = value;
    stored("namespace", value);
  };
  const asked = new URLSearchParams(location.search).has("namespace");
  const remembered = asked ? null : stored("namespace");
  if (remembered && allowed.test(remembered)) namespace.value = remembered;
  apply();
  namespace.addEventListener("input", apply);
  namespace.form.addEventListener("submit", (event) => event.preventDefault());
}

// --- copying
const copyText = async (text) => {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  // A hub on plain http has no clipboard of its own.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not copy");
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const source = button.dataset.from ? document.getElementById(button.dataset.from) : button.parentElement.querySelector("code");
  const label = button.firstChild;
  const before = (button.dataset.label ??= label.textContent);
  try {
    await copyText(source.value ?? source.textContent);
    button.classList.add("done");
    label.textContent = button.dataset.copied;
  } catch {
    label.textContent = button.dataset.failed;
    getSelection().selectAllChildren(source);
  }
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    label.textContent = before;
    button.classList.remove("done");
  }, 2000);
});
