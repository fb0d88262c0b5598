// SPDX-License-Identifier: Apache-2.0
// page_index.js: all connections: a table with a timeline of bars, sorted, searched, each row opening its connection.
const findingsText = (c) => [...new Set([...c.life.findings, ...c.findings.map((one) => one.rule)])].join(" ");
const columns = [
  { name: "start", numeric: true, of: (c) => c.life.start_ts_ns - firstNs, text: (c) => ((c.life.start_ts_ns - firstNs) / 1e9).toFixed(6) },
  { name: "process", of: (c) => processText(c.life), wide: true },
  { name: "local", of: (c) => endpoint(c.life.local) },
  { name: "remote", of: (c) => endpoint(c.life.remote) },
  { name: "outcome", of: outcomeText, style: "outcome" },
  { name: "sent", numeric: true, of: (c) => c.life.tx_bytes, text: (c) => bytesText(c.life.tx_bytes) },
  { name: "received", numeric: true, of: (c) => c.life.rx_bytes, text: (c) => bytesText(c.life.rx_bytes) },
  { name: "retrans", numeric: true, of: (c) => c.life.retransmits + (c.life.retransmits_in || 0) },
  { name: "duration", numeric: true, of: (c) => c.life.duration_ns, text: (c) => timeText(c.life.duration_ns) },
  { name: "findings", of: findingsText, wide: true },
].filter((column) => column.name !== "process" || connections.some((c) => c.life.pid));

const index = { search: "", column: "start", down: false, shown: [], all: false, from: 0, to: 1 };
const rowsAtOnce = 1000;
const wholeNs = Math.max(1, connections.reduce((most, c) => Math.max(most, c.life.start_ts_ns - firstNs + c.life.duration_ns), 1));
index.to = wholeNs;

// What a search finds: all text of the row, and the words of its findings.
function haystack(c) {
  c.haystack ??= [...columns.map((column) => String((column.text || column.of)(c))), ...c.findings.map((one) => `${one.rule} ${one.text}`), c.life.explanation || ""].join("\n").toLowerCase();
  return c.haystack;
}

function chooseRows() {
  const words = index.search.toLowerCase().split(/\s+/).filter(Boolean);
  const outcome = $("outcome").value;
  const finding = $("finding").value;
  const problems = $("problems").checked;
  const by = columns.find((column) => column.name === index.column);
  index.shown = connections.filter((c) => {
    const begins = c.life.start_ts_ns - firstNs;
    return (!outcome || outcomeText(c) === outcome) && (!finding || c.findings.some((one) => one.rule === finding)) && (!problems || isProblem(c)) &&
      begins <= index.to && begins + c.life.duration_ns >= index.from && words.every((word) => haystack(c).includes(word));
  });
  const keys = new Map(index.shown.map((c) => [c, by.of(c)]));
  const order = (a, b) => (by.numeric ? keys.get(a) - keys.get(b) : keys.get(a).localeCompare(keys.get(b), "en", { numeric: true }));
  index.shown.sort((a, b) => (index.down ? order(b, a) : order(a, b)));
}

function bar(c) {
  const begins = c.life.start_ts_ns - firstNs;
  const part = (ns) => `${Math.min(100, Math.max(0, (100 * (ns - index.from)) / (index.to - index.from)))}%`;
  const cell = make("td", { class: "time" });
  const drawn = make("div", { class: "bar" });
  drawn.style.left = part(begins);
  drawn.style.width = `calc(${part(begins + c.life.duration_ns)} - ${part(begins)})`;
  cell.append(drawn);
  // A finding that is no trouble has no mark.
  for (const one of c.findings.slice(0, 8)) {
    const at = Math.min(one.ts_ns - firstNs, begins + c.life.duration_ns); // what is judged later is of what was there
    if (one.rule === "time-wait" || at < index.from || at > index.to) continue;
    const mark = make("span", { class: "mark", text: "!", title: `${one.rule}: ${one.text}` });
    mark.style.left = `clamp(0px, calc(${part(at)} - 6px), calc(100% - 12px))`;
    cell.append(mark);
  }
  return cell;
}

function row(c) {
  const line = make("tr", { class: verdict(c.life), tabindex: 0, "data-conn": c.life.conn });
  for (const column of columns) {
    const text = String((column.text || column.of)(c));
    const style = column.numeric ? "number" : column.style || (column.wide ? "name" : null);
    line.append(make("td", { class: style, text, title: column.wide ? text : null }));
    if (column.name === "outcome") line.append(bar(c));
  }
  return line;
}

function drawAxis(head) {
  const axis = make("div", { class: "axis" });
  for (const { v, label } of timeTicks(index.from, index.to, 5)) {
    const part = (100 * (v - index.from)) / (index.to - index.from);
    const tick = make("span", { class: part < 5 ? "first" : part > 95 ? "last" : null, text: label });
    tick.style.left = `${part}%`;
    axis.append(tick);
  }
  head.append(make("th", { scope: "col" }, axis));
}

function drawHead() {
  const head = make("tr");
  for (const column of columns) {
    const sorted = column.name === index.column;
    const button = make("button", { type: "button", text: column.name + (sorted ? (index.down ? " \u25be" : " \u25b4") : ""), on: { click: () => sortBy(column.name) } });
    head.append(make("th", { scope: "col", class: column.numeric ? "number" : null, "aria-sort": sorted ? (index.down ? "descending" : "ascending") : "none" }, button));
    if (column.name === "outcome") drawAxis(head);
  }
  $("list").tHead.replaceChildren(head);
}

function sortBy(name) {
  index.down = index.column === name ? !index.down : false;
  index.column = name;
  drawIndex();
  $("list").tHead.querySelector("[aria-sort=ascending] button,[aria-sort=descending] button").focus();
}

// What belongs to no connection has rows, but is none.
function countText(shown) {
  const count = (list) => list.filter((c) => !c.stray).length.toLocaleString("en");
  const others = shown.reduce((sum, c) => sum + (c.stray_segments || 0), 0);
  return `${count(shown)} of ${count(connections)} connections` + (others ? `, ${others.toLocaleString("en")} other segment${others === 1 ? "" : "s"}` : "");
}

function drawIndex() {
  chooseRows();
  drawHead();
  const many = index.shown.length;
  const some = index.all ? index.shown : index.shown.slice(0, rowsAtOnce);
  $("list").tBodies[0].replaceChildren(...some.map(row));
  $("more").hidden = some.length === many;
  $("more").textContent = `Show all ${many.toLocaleString("en")}`;
  $("count").textContent = countText(index.shown) + (some.length < many ? `, the first ${rowsAtOnce.toLocaleString("en")} shown` : "");
}

// The window of time: a factor, and a shift in parts of what is shown.
function moveTime(factor, shift) {
  const length = Math.min(wholeNs, Math.max(1e3, (index.to - index.from) * factor));
  const middle = (index.from + index.to) / 2 + (index.to - index.from) * shift;
  index.from = Math.max(0, Math.min(wholeNs - length, middle - length / 2));
  index.to = index.from + length;
  drawIndex();
}

function fillChoice(id, names) {
  for (const name of [...new Set(names)].sort()) $(id).append(make("option", { value: name, text: name }));
}

// The row below the one that has the focus, or above it; the first where none has it.
function stepRow(by) {
  const rows = [...$("list").tBodies[0].rows];
  const at = rows.indexOf(document.activeElement);
  (at < 0 ? rows[0] : rows[at + by])?.focus();
}

function searchIndex(text) {
  index.search = text;
  drawIndex();
}

// Enter in the search: the one that was found, or the first of several to go on from.
function enterIndex() {
  if (index.shown.length === 1) go(index.shown[0].life.conn);
  else stepRow(1);
}

function startIndex() {
  fillChoice("outcome", connections.map(outcomeText));
  fillChoice("finding", connections.flatMap((c) => c.findings.map((one) => one.rule)));
  for (const id of ["outcome", "finding", "problems"]) $(id).addEventListener("change", drawIndex);
  $("more").addEventListener("click", () => {
    index.all = true;
    drawIndex();
  });
  $("time-in").addEventListener("click", () => moveTime(0.5, 0));
  $("time-out").addEventListener("click", () => moveTime(2, 0));
  $("time-left").addEventListener("click", () => moveTime(1, -0.25));
  $("time-right").addEventListener("click", () => moveTime(1, 0.25));
  $("time-all").addEventListener("click", () => moveTime(Infinity, 0));
  const body = $("list").tBodies[0];
  const open = (event) => {
    const line = event.target.closest("tr");
    if (line) go(Number(line.dataset.conn));
  };
  body.addEventListener("click", open);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter") open(event);
  });
}
