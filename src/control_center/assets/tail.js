// The live view of a topic: rows come as server-sent events, and each names the place after it, from where it goes on after a pause or a
// lost connection. What comes from records is only ever set as text.
"use strict";
(() => {
  const MOST_ROWS = 200;
  const AGAIN_AFTER_MS = 3000;

  const view = document.querySelector("[data-tail]");
  if (!view || !window.EventSource) return;
  const { tail: base, tailText: text } = view.dataset;
  const rows = view.querySelector("[data-tail-rows]");
  const state = view.querySelector("[data-tail-state]");
  const counts = view.querySelector("[data-tail-counts]");
  const pause = view.querySelector("[data-tail-pause]");
  let place = view.dataset.tailFrom;
  let source = null;
  let timer = 0;
  let paused = false;
  let received = 0;
  let removed = 0;
  let leftOut = 0;
  let leftOutBefore = 0;

  const say = (words) => {
    if (state.textContent !== words) state.textContent = words;
  };
  const count = () => {
    const parts = [`${received} received`];
    if (removed > 0) parts.push(`${removed} older rows no longer shown`);
    const missed = leftOutBefore + leftOut;
    if (missed > 0) parts.push(`${missed} left out, since they came too fast`);
    counts.textContent = parts.join(", ");
  };
  const cell = (row, kind, className, words, isCode) => {
    const made = document.createElement(kind);
    if (kind === "th") made.scope = "row";
    if (className) made.className = className;
    const inner = isCode ? made.appendChild(document.createElement("code")) : made;
    inner.textContent = words;
    row.append(made);
    return made;
  };
  // Offsets above 2^53 are no numbers here: they stay the text that they are.
  const exact = (name, value, context) => (name === "offset" && context?.source) || value;
  const show = (record) => {
    const row = document.createElement("tr");
    const link = document.createElement("a");
    link.href = `${base}/messages/${record.partition}/${record.offset}`;
    link.textContent = `${record.partition}:${record.offset}`;
    cell(row, "th", "n", "").append(link);
    cell(row, "td", "", record.at ? `${record.at.slice(0, 19).replace("T", " ")} UTC` : "none");
    cell(row, "td", "text", record.key ?? "none", record.key !== null);
    cell(row, "td", "text", record.line, true);
    cell(row, "td", "", record.format);
    cell(row, "td", "n", `${record.size} B`);
    rows.prepend(row);
    while (rows.childElementCount > MOST_ROWS) {
      rows.lastElementChild.remove();
      removed += 1;
    }
    view.querySelector("[data-tail-empty]")?.remove();
    received += 1;
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    leftOutBefore += leftOut;
    leftOut = 0;
  };
  const open = () => {
    close();
    say("Connecting");
    const query = new URLSearchParams({ from: place, text });
    const opened = new EventSource(`${base}/tail/events?${query}`);
    source = opened;
    const on = (name, act) =>
      opened.addEventListener(name, (event) => {
        if (opened !== source) return;
        place = event.lastEventId || place;
        act(event.data);
        count();
      });
    on("place", () => say("Connected: new records appear on top"));
    on("row", (data) => show(JSON.parse(data, exact)));
    on("left-out", (data) => {
      leftOut = Number(data);
    });
    opened.onerror = () => {
      if (opened !== source) return;
      say("Reconnecting");
      if (opened.readyState === EventSource.CONNECTING) {
        leftOutBefore += leftOut;
        leftOut = 0;
      } else {
        close();
        timer = setTimeout(open, AGAIN_AFTER_MS);
        say("Reconnecting");
      }
    };
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    if (paused) {
      close();
      say("Paused: it goes on at the same place");
    } else {
      open();
    }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && !paused) open();
  });
  count();
  open();
})();
