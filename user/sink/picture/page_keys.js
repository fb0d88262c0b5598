// SPDX-License-Identifier: Apache-2.0
// page_keys.js: what each key does.
const keys = [
  ["/", "search", () => $("search").focus()],
  ["Esc", "all connections; there and in the search: without the search", null],
  ["[ and ]", "the connection before, the next one", null],
  ["l", "ladder", () => view.conn && go(view.conn, "ladder")],
  ["g", "time and sequence", () => view.conn && go(view.conn, "graph")],
  ["j, k or arrows", "next event or connection, the one before", null],
  ["Enter", "opens a connection; in the search: what was found", null],
  ["n, p", "next finding, finding before", null],
  ["+, -, 0", "larger, smaller, to the width", null],
  ["drag, shift and drag, double click", "in a graph: closer, to the side, everything", null],
  ["?", "these keys", () => toggleHelp()],
];

function toggleHelp() {
  $("help").hidden = !$("help").hidden;
  $("help-button").setAttribute("aria-expanded", String(!$("help").hidden));
}

function noSearch() {
  $("search").value = "";
  if (!view.conn && index.search) searchIndex("");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input,select")) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.target.blur();
    if (event.target === $("search")) noSearch();
    return;
  }
  const inLadder = view.conn && view.tab === "ladder";
  const actions = {
    "/": () => $("search").focus(),
    Escape: () => (view.conn ? go(0) : noSearch()),
    "[": () => beside(-1),
    "]": () => beside(1),
    l: () => view.conn && go(view.conn, "ladder"),
    g: () => view.conn && go(view.conn, "graph"),
    "?": toggleHelp,
  };
  const ofLadder = {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    n: () => stepFinding(1),
    p: () => stepFinding(-1),
    "+": () => setSize(ladder.size * 1.25),
    "-": () => setSize(ladder.size / 1.25),
    0: () => setSize(fitSize()),
  };
  const ofIndex = { j: () => stepRow(1), k: () => stepRow(-1), ArrowDown: () => stepRow(1), ArrowUp: () => stepRow(-1) };
  const ofGraph = { "+": () => zoomGraphs(0.5), "-": () => zoomGraphs(2), 0: () => zoomGraphs(Infinity), ArrowLeft: () => moveGraphs(-0.25), ArrowRight: () => moveGraphs(0.25) };
  const action = actions[event.key] || (inLadder ? ofLadder[event.key] : view.conn ? ofGraph[event.key] : ofIndex[event.key]);
  if (!action) return;
  event.preventDefault();
  action();
}

function startKeys() {
  for (const [key, what] of keys) $("help").append(make("dt", { text: key }), make("dd", { text: what }));
  document.addEventListener("keydown", onKey);
  $("help-button").addEventListener("click", toggleHelp);
}
