// SPDX-License-Identifier: Apache-2.0
// page_main.js: what is shown: all connections or one, its ladder or its graphs. The address has it (#conn=3&view=graph).
const view = { conn: 0, tab: "ladder" };

function go(conn, tab) {
  location.hash = conn ? `conn=${conn}${tab && tab !== "ladder" ? `&view=${tab}` : ""}` : "";
}

// The connection before or behind this one, as the index has them.
function beside(by) {
  const at = index.shown.findIndex((c) => c.life.conn === view.conn);
  const next = index.shown[at + by];
  if (view.conn && next) go(next.life.conn, view.tab);
}

function show() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const c = byConn.get(Number(wanted.get("conn")));
  const before = view.conn;
  view.conn = c ? c.life.conn : 0;
  // What was searched in a ladder is not searched in the index.
  if (Boolean(before) !== Boolean(c)) $("search").value = c ? "" : index.search;
  view.tab = wanted.get("view") === "graph" ? "graph" : "ladder";
  $("index").hidden = Boolean(c);
  $("one").hidden = !c;
  for (const id of ["earlier", "later", "to-index"]) $(id).disabled = !c;
  $("status").textContent = "";
  if (!c) {
    drawIndex();
    if (before) $("list").querySelector(`[data-conn="${before}"]`)?.focus();
    return;
  }
  $("title").textContent = `${processText(c.life)} ${endpoint(c.life.local)} ${c.life.role === "passive" ? "\u2190" : "\u2192"} ${endpoint(c.life.remote)}: ${outcomeText(c)}`.trim();
  $("explanation").textContent = c.stray ? "Segments that belong to no connection, and what became of them." : c.life.explanation || c.life.meaning;
  for (const tab of ["ladder", "graph"]) {
    $(tab).hidden = tab !== view.tab;
    $(`tab-${tab}`).setAttribute("aria-selected", String(tab === view.tab));
  }
  $("ladder-zoom").hidden = view.tab !== "ladder";
  if (view.tab === "graph") openGraphs(c);
  else openLadder(c);
}

// What the reader of the picture must know of what is missing in it.
function warn() {
  const warnings = [];
  const lost = data.gaps.reduce((sum, gap) => sum + gap.lost, 0);
  if (lost) warnings.push(`${lost.toLocaleString("en")} events were lost: gaps may be capture loss.`);
  if (data.left_out) warnings.push(`${data.left_out.toLocaleString("en")} connections are left out: there were too many.`);
  const damage = data.summary?.capture?.damage;
  if (damage) warnings.push(`The file was not read to its end: ${damage}`);
  $("warning").textContent = warnings.join(" ");
  $("warning").hidden = warnings.length === 0;
}

function about() {
  const ready = data.ready;
  if (!ready) return "";
  const when = new Date(firstNs / 1e6);
  const start = Number.isFinite(firstNs) ? `; first event ${when.toISOString()}` : "";
  if (ready.capture) return `${ready.capture.path} (${ready.capture.format}): packets only, no kernel events${start}`;
  return `kernel and wire, Linux ${ready.kernel}, version ${ready.version}${start}`;
}

function start() {
  $("about").textContent = about();
  warn();
  startIndex();
  startLadder();
  startKeys();
  $("to-index").addEventListener("click", () => go(0));
  $("earlier").addEventListener("click", () => beside(-1));
  $("later").addEventListener("click", () => beside(1));
  for (const tab of ["ladder", "graph"]) $(`tab-${tab}`).addEventListener("click", () => go(view.conn, tab));
  $("search").addEventListener("input", () => !view.conn && searchIndex($("search").value));
  $("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (!view.conn) enterIndex();
    else if (view.tab === "ladder") searchLadder($("search").value);
  });
  window.addEventListener("hashchange", show);
  chooseRows();
  if (!location.hash && connections.length === 1) location.replace(`#conn=${connections[0].life.conn}`);
  show();
}
start();
