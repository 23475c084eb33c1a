// The engine editor of the experiment page. The server fills the YAML from the form and checks the text; nothing is kept.
"use strict";

(() => {
  const section = document.getElementById("editor");
  if (!section) return;
  const words = JSON.parse(section.dataset.words);
  const form = section.querySelector("form");
  const text = section.querySelector("textarea");
  const paint = section.querySelector(".editor-paint");
  const verdict = section.querySelector(".editor-verdict");
  const list = section.querySelector(".editor-problems#editor-list");
  const notice = section.querySelector(".editor-notice");
  const said = section.querySelector(".editor-said");
  const PAUSE_MS = 250;

  let written = text.value; // the form's text, as it was last put into the text area
  let filled = text.value; // the form's text, as the server last gave it
  let touched = new Set(); // fields that somebody has changed: only these complain

  const say = (sentence, values = {}) =>
    Object.entries(values).reduce((all, [name, value]) => all.replace(`{${name}}`, value), words[sentence] || sentence);

  // Runs `work` when nothing has called for a while; a call that is overtaken is given up.
  const pending = new Set();
  const later = (work) => {
    let timer = 0;
    let running = null;
    const settled = (mine) => {
      if (running !== mine) return; // a later one is under way
      pending.delete(work);
      section.setAttribute("aria-busy", String(pending.size > 0));
    };
    return (pause = PAUSE_MS) => {
      clearTimeout(timer);
      running?.abort();
      const mine = (running = new AbortController());
      pending.add(work);
      section.setAttribute("aria-busy", "true");
      timer = setTimeout(async () => {
        try {
          await work(mine.signal);
        } catch (error) {
          if (error.name !== "AbortError") tell(say("The check can't be reached; the text is not checked."));
        }
        settled(mine);
      }, pause);
    };
  };

  const ask = async (address, body, type, signal) => {
    const answer = await fetch(address, { method: "POST", body, headers: { "content-type": type }, signal });
    if (answer.status === 413) return { problems: [{ line: 0, message: say("The text is too long to be checked.") }] };
    if (answer.status === 400) return answer.json();
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  // The form

  const values = () => Object.fromEntries(new FormData(form));

  const fill = later(async (signal) => {
    const { hub, group, name, lang } = section.dataset;
    const body = JSON.stringify({ hub, group, name, lang, values: values() });
    const answer = await ask(section.dataset.fill, body, "application/json", signal);
    showFields(answer.problems);
    if (answer.yaml === undefined) return;
    filled = answer.yaml;
    if (text.value === written) put(filled);
    else notice.hidden = text.value === filled;
  });

  // Not through the history of the text area: nobody has typed into it what is replaced here.
  const put = (yaml) => {
    written = yaml;
    if (text.value !== yaml) {
      const { selectionStart, selectionEnd } = text;
      text.value = yaml;
      text.setSelectionRange(selectionStart, selectionEnd);
    }
    notice.hidden = true;
    changed(0);
  };

  const showFields = (problems) => {
    for (const field of form.elements) {
      if (!field.name) continue;
      const found = problems.filter((problem) => problem.field === field.name).map(beside);
      const error = document.getElementById(`${field.id}-error`);
      const shown = found.length > 0 && touched.has(field.name);
      field.setAttribute("aria-invalid", String(shown));
      error.hidden = !shown;
      error.textContent = shown ? found[0] : "";
      if (shown) field.closest("details")?.setAttribute("open", "");
    }
  };

  // Beside its field a sentence needs no path.
  const beside = ({ path, message }) => (path && message.startsWith(path) ? message.slice(path.length).replace(/^(: |：)/, "") : message);

  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    fill();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fill(0);
  });
  // The page asks for the namespace of its commands: the engine's is the same until somebody wants another one.
  const outer = document.getElementById("namespace");
  const follow = () => {
    const inner = form.elements.namespace;
    if (!outer || touched.has("namespace") || outer.getAttribute("aria-invalid") === "true") return;
    inner.value = outer.value.trim();
    fill();
  };
  outer?.addEventListener("input", follow);

  form.addEventListener("reset", () => {
    touched = new Set();
    setTimeout(() => (outer ? follow() : fill(0))); // the fields have their values after the event
  });

  // The text

  const check = later(async (signal) => {
    const { check: address, hub, lang } = section.dataset;
    const query = new URLSearchParams({ hub, lang });
    const answer = await ask(`${address}?${query}`, text.value, "text/yaml; charset=utf-8", signal);
    showProblems(answer.problems);
  });

  const changed = (pause) => {
    draw();
    check(pause);
  };

  const showProblems = (problems) => {
    const errors = problems.filter((problem) => problem.severity !== "warning");
    const count = problems.length;
    verdict.textContent = !count
      ? say("No mistakes found.")
      : count === 1
        ? say("1 mistake")
        : say("{count} mistakes", { count });
    verdict.dataset.state = !count ? "right" : errors.length ? "wrong" : "doubtful";
    text.setAttribute("aria-invalid", String(errors.length > 0));
    list.replaceChildren(...problems.map(item));
    const marks = new Map();
    for (const problem of problems) if (!marks.has(problem.line) || problem.severity !== "warning") marks.set(problem.line, problem.severity || "error");
    [...paint.children].forEach((row, number) => {
      const mark = marks.get(number + 1);
      if (mark) row.dataset.mark = mark;
      else delete row.dataset.mark;
    });
  };

  const item = (problem) => {
    const entry = document.createElement("li");
    entry.dataset.severity = problem.severity || "error";
    if (problem.line) {
      const jump = document.createElement("button");
      jump.type = "button";
      jump.className = "editor-jump";
      jump.textContent = say("Line {line}", { line: problem.line });
      jump.addEventListener("click", () => select(problem.line));
      entry.append(jump, " ");
    }
    const sentence = document.createElement("span");
    sentence.textContent = problem.message;
    entry.append(sentence);
    return entry;
  };

  const select = (line) => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus({ preventScroll: true });
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    paint.children[line - 1]?.scrollIntoView({ block: "center", inline: "nearest" });
  };

  text.addEventListener("input", () => {
    notice.hidden = text.value === filled || filled === written;
    changed();
  });

  // A new line begins where the one before it did. As typed text, so that undo takes it back.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const before = text.value.slice(0, text.selectionStart);
    const indent = /(?:^|\n)( *)[^\n]*$/.exec(before)[1];
    if (indent && document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
  });

  section.querySelector("[data-replace]").addEventListener("click", () => {
    text.focus();
    text.select();
    if (!document.execCommand("insertText", false, filled)) text.value = filled;
    text.setSelectionRange(0, 0);
    put(filled);
  });

  // What lies behind the text: its numbers, marks and colours. Only lines that changed are drawn.

  const draw = () => {
    const lines = text.value.split("\n");
    lines.forEach((line, number) => {
      const row = paint.children[number] || paint.appendChild(document.createElement("div"));
      if (row.dataset.text === line && row.firstChild) return;
      row.dataset.text = line;
      row.replaceChildren(...colours(line));
    });
    while (paint.children.length > lines.length) paint.lastChild.remove();
    paint.dataset.digits = String(String(lines.length).length);
  };

  const colours = (line) => {
    const found = /^(\s*(?:- +)?)(#.*|([\w./-]+)(:)(?= |$)(.*))?(.*)$/.exec(line);
    const [, lead, , key, colon, value] = found;
    if (key === undefined) return [span(/^\s*#/.test(line) ? "comment" : "", line || "\u200b")];
    return [span("", lead), span("key", key), span("", colon), span("value", value)];
  };

  const span = (kind, content) => {
    const made = document.createElement("span");
    if (kind) made.className = `editor-${kind}`;
    made.textContent = content;
    return made;
  };

  // To take along

  const command = (start) => {
    const yaml = text.value.endsWith("\n") ? text.value : `${text.value}\n`;
    let end = "EOF";
    while (yaml.split("\n").includes(end)) end += "_";
    return `${start} <<'${end}'\n${yaml}${end}\n`;
  };
  const takings = {
    kubectl: () => command("kubectl apply -f -"),
    litmus: () => command("litmus run -"),
    yaml: () => text.value,
  };

  const tell = (sentence) => {
    said.textContent = sentence;
    setTimeout(() => {
      if (said.textContent === sentence) said.textContent = "";
    }, 4000);
  };

  // A hub on a plain address of a cluster is no secure context, and has no clipboard but the old one.
  const copy = async (content) => {
    try {
      await navigator.clipboard.writeText(content);
      return true;
    } catch {
      const carrier = document.createElement("textarea");
      carrier.value = content;
      carrier.className = "editor-carrier";
      const before = document.activeElement;
      section.append(carrier);
      carrier.select();
      const done = document.execCommand("copy");
      carrier.remove();
      before?.focus();
      return done;
    }
  };

  section.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-download]");
    if (!button) return;
    if (button.dataset.download) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text.value], { type: "text/yaml" }));
      link.download = button.dataset.download;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      return;
    }
    if (await copy(takings[button.dataset.copy]())) {
      tell(say("Copied."));
    } else {
      text.select();
      tell(say("Copying is not allowed here; the text is selected, copy it with the keyboard."));
    }
  });

  // A browser that comes back to the page brings the values of its fields along.
  draw();
  check(0);
  outer ? follow() : fill(0);
})();
