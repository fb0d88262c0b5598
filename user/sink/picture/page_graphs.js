// SPDX-License-Identifier: Apache-2.0
// page_graphs.js: the time-sequence graph, and below it on the same axis what the sender went by. Plots by dygraphs.
const graphs = { conn: 0, out: true, plots: [], whole: [0, 1], moving: false, all: null, shown: null, detail: "" };
const axisWidth = 76;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// How each is drawn, in the legend and in the graph: form first, colour beside it.
const marks = {
  data: { name: "data", of: "blue", draw: (ctx, x, y) => line(ctx, x, y - 5, x, y + 5, 2) },
  again: { name: "retransmission, with its cause", of: "red", draw: (ctx, x, y) => { line(ctx, x, y - 5, x, y + 5, 2); cross(ctx, x, y - 5); } },
  ack: { name: "acknowledged", of: "green", draw: (ctx, x, y) => line(ctx, x - 10, y, x + 10, y, 2) },
  win: { name: "end of the window", of: "amber", draw: (ctx, x, y) => { ctx.setLineDash([5, 3]); line(ctx, x - 10, y, x + 10, y, 1.5); ctx.setLineDash([]); } },
  dup: { name: "duplicate ACK", of: "purple", draw: (ctx, x, y) => { line(ctx, x - 4, y, x + 4, y, 1.5); line(ctx, x, y - 4, x, y + 4, 1.5); } },
  sack: { name: "SACK", of: "sky", draw: (ctx, x, y) => { ctx.lineWidth = 1.5; ctx.strokeRect(x - 2, y - 5, 4, 10); } },
};

function line(ctx, x, y, toX, toY, width) {
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}
function cross(ctx, x, y) {
  line(ctx, x - 4, y - 4, x + 4, y + 4, 1.5);
  line(ctx, x - 4, y + 4, x + 4, y - 4, 1.5);
}

// Rows that have nothing of a series are points of it, too.
const present = (points) => points.filter((point) => Number.isFinite(point.yval));

// A segment is a bar from its first sequence number to its last.
function drawBars(mark, words) {
  return (e) => {
    const ctx = e.drawingContext;
    ctx.strokeStyle = ctx.fillStyle = colour(mark.of);
    ctx.font = "10px sans-serif";
    let free = -Infinity;
    for (const point of present(e.points)) {
      const one = graphs.shown.segments[point.idx];
      const top = e.dygraph.toDomYCoord(one.end);
      const bottom = Math.max(e.dygraph.toDomYCoord(one.seq), top + 2);
      line(ctx, point.canvasx, top, point.canvasx, bottom, 2);
      if (!words) continue;
      cross(ctx, point.canvasx, top);
      // The cause, where there is room.
      if (point.canvasx < free || !one.cause) continue;
      const width = ctx.measureText(one.cause).width;
      const area = e.plotArea;
      const left = point.canvasx + 6 + width > area.x + area.w;
      ctx.fillText(one.cause, left ? point.canvasx - 6 - width : point.canvasx + 6, Math.max(area.y + 10, top - 2));
      free = point.canvasx + 12 + width;
    }
  };
}

function drawSack() {
  return (e) => {
    const ctx = e.drawingContext;
    ctx.strokeStyle = colour(marks.sack.of);
    ctx.lineWidth = 1.5;
    for (const point of present(e.points)) {
      for (const [left, right] of graphs.shown.segments[point.idx].sack) {
        const top = e.dygraph.toDomYCoord(right);
        ctx.strokeRect(point.canvasx - 2, top, 4, Math.max(2, e.dygraph.toDomYCoord(left) - top));
      }
    }
  };
}

function drawPoints(mark) {
  return (e) => {
    e.drawingContext.strokeStyle = colour(mark.of);
    for (const point of present(e.points)) mark.draw(e.drawingContext, point.canvasx, point.canvasy);
  };
}

const seconds = (t) => `${t.toFixed(Math.abs(t) < 1 ? 6 : 3)} s`;

function describe(one) {
  const flags = [["FIN", 1], ["SYN", 2], ["RST", 4], ["PSH", 8], ["ACK", 16]].filter(([, bit]) => one.flags & bit).map(([name]) => name);
  return `#${one.id}  ${seconds(one.t)}  ${flags.join(",")} seq=${one.seq}${one.len ? ` len=${one.len}` : ""}${one.ack === null ? "" : ` ack=${one.ack}`}${one.win === null ? "" : ` win=${one.win}`}${one.words ? `  [${one.words}]` : ""}`;
}

const common = () => ({
  legend: "never",
  connectSeparatedPoints: true,
  axisLineColor: colour("line"),
  gridLineColor: colour("line"),
  gridLinePattern: [1, 3],
  highlightCircleSize: 4,
  animatedZooms: false,
  zoomCallback: () => follow(),
  drawCallback: (plot, first) => !first && follow(plot),
});

// One axis of time for all: where one is zoomed or moved, the others follow.
function follow(leader) {
  const from = leader || graphs.plots[0];
  if (graphs.moving || !from) return;
  graphs.moving = true;
  const range = from.xAxisRange();
  for (const plot of graphs.plots) {
    const [left, right] = plot.xAxisRange();
    if (plot !== from && (left !== range[0] || right !== range[1])) plot.updateOptions({ dateWindow: range });
  }
  graphs.moving = false;
  sharpen(range);
}

// Closer, there is more to be seen.
function sharpen(range) {
  if (graphs.detail === range.join() || graphs.all.rows.length <= mostRows) return;
  graphs.detail = range.join();
  requestAnimationFrame(() => {
    if (graphs.detail !== range.join() || !graphs.plots.length) return;
    graphs.shown = inSight(graphs.all, ...range);
    graphs.moving = true;
    graphs.plots[0].updateOptions({ file: graphs.shown.rows, dateWindow: range });
    graphs.moving = false;
  });
}

function setRange(from, to) {
  const [left, right] = graphs.whole;
  const length = Math.min(right - left, to - from);
  const begin = Math.max(left, Math.min(right - length, from));
  graphs.moving = true;
  for (const plot of graphs.plots) plot.updateOptions({ dateWindow: [begin, begin + length], valueRange: undefined });
  graphs.moving = false;
  sharpen(graphs.plots[0].xAxisRange());
}
function zoomGraphs(factor) {
  if (!graphs.plots.length) return;
  const [from, to] = graphs.plots[0].xAxisRange();
  const half = Math.min(graphs.whole[1] - graphs.whole[0], (to - from) * factor) / 2;
  setRange((from + to) / 2 - half, (from + to) / 2 + half);
}
function moveGraphs(part) {
  if (!graphs.plots.length) return;
  const [from, to] = graphs.plots[0].xAxisRange();
  setRange(from + (to - from) * part, to + (to - from) * part);
}

// Each entry shows or hides what it names.
function legend(kinds, used, hidden) {
  $("legend").replaceChildren(...used.map((kind) => {
    const canvas = make("canvas", { width: 26, height: 14 });
    const ctx = canvas.getContext("2d");
    ctx.strokeStyle = colour(marks[kind].of);
    marks[kind].draw(ctx, 13, 8);
    const button = make("button", { type: "button", "aria-pressed": String(!hidden.has(kind)) }, canvas, ` ${marks[kind].name}`);
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      graphs.plots[0].setVisibility(kinds.indexOf(kind), shown);
    });
    return make("li", {}, button);
  }));
}

// A window that is many times what was ever sent leaves no room for the data.
function tooFar(rows) {
  const most = (at) => rows.reduce((soFar, row) => Math.max(soFar, row[at] || 0), 0);
  return most(4) > 4 * Math.max(most(1), most(2), most(3));
}

function plot(title, rows, labels, options, main) {
  const heading = make("h3", { text: title });
  const box = make("div", { class: main ? "plot main" : "plot", role: "img", "aria-label": `${title}: ${rows.length} points` });
  $("plots").append(heading, box);
  graphs.plots.push(new Dygraph(box, rows, { ...common(), labels: ["s", ...labels], dateWindow: graphs.whole, ...options,
    axes: { x: { axisLabelFormatter: (t) => String(Number(t.toPrecision(7))), pixelsPerLabel: 90 }, y: { axisLabelWidth: axisWidth, ...(options.labelsAt && { ticker: options.labelsAt }), axisLabelFormatter: options.unit || ((v) => v.toLocaleString("en")) } } }));
}

const stepped = (of, dashes) => ({ stepPlot: true, strokeWidth: 1.5, color: colour(of), strokePattern: dashes || null, drawPoints: false });

// Labels at powers of two, as the units are.
const bytesAxis = (behind) => (from, to, pixels) => byteTicks(from, to, Math.max(2, pixels / 30)).map(({ v, label }) => ({ v, label: label + behind }));

// A small graph of several lines: name, points, how they are drawn. Empty ones are left out.
function plotLines(title, lines, unit, labelsAt) {
  const some = lines.filter((each) => each.points.length > 0);
  if (some.length === 0) return;
  const series = Object.fromEntries(some.map((each) => [each.name, each.look]));
  const names = some.map((each) => each.name);
  plot(`${title}: ${some.map((each) => `${each.name} (${each.form})`).join(", ")}`, merged(some.map((each) => thinned(each.points))), names, {
    series,
    unit,
    labelsAt,
    includeZero: true,
    highlightCallback: (_, x, points) => { $("status").textContent = `${seconds(x)}  ${points.map((point) => `${point.name}: ${unit(point.yval)}`).join("  ")}`; },
  });
}

function openGraphs(c) {
  if (graphs.conn !== c.life.conn) graphs.out = c.life.tx_bytes >= c.life.rx_bytes;
  graphs.conn = c.life.conn;
  for (const old of graphs.plots) old.destroy();
  graphs.plots = [];
  $("plots").replaceChildren();
  const sides = [[true, c.life.local], [false, c.life.remote]];
  $("direction").replaceChildren("Data sent by ", ...sides.map(([out, end]) => make("button", { type: "button", text: endpoint(end), "aria-pressed": String(out === graphs.out), on: { click: () => { graphs.out = out; openGraphs(c); } } })));
  graphs.all = sequenceRows(c, graphs.out);
  const { rows } = graphs.all;
  if (rows.length === 0) {
    $("legend").replaceChildren();
    $("plots").append(make("p", { class: "none", text: "No segments with known sequence numbers: nothing to draw." }));
    return;
  }
  const last = Math.max(...c.segments.t_us.slice(-1), 1) / 1e6;
  const first = Math.min(0, c.segments.t_us[0] / 1e6);
  const margin = (last - first) * 0.02;
  graphs.whole = [first - margin, last + margin];
  const kinds = ["data", "again", "ack", "win", "dup", "sack"];
  const used = kinds.filter((_, i) => rows.some((row) => row[i + 1] !== null));
  const hidden = new Set(tooFar(rows) ? ["win"] : []);
  legend(kinds, used, hidden);
  graphs.shown = inSight(graphs.all, ...graphs.whole);
  graphs.detail = graphs.whole.join();
  plot("Sequence numbers", graphs.shown.rows, kinds, {
    visibility: kinds.map((kind) => !hidden.has(kind)),
    series: {
      data: { plotter: drawBars(marks.data, false) },
      again: { plotter: drawBars(marks.again, true) },
      ack: stepped("green"),
      win: stepped("amber", [5, 3]),
      dup: { plotter: drawPoints(marks.dup) },
      sack: { plotter: drawSack() },
    },
    highlightCallback: (_, x, points, at) => { $("status").textContent = describe(graphs.shown.segments[at]); },
    pointClickCallback: (_, point) => { const id = graphs.shown.segments[point.idx].id; go(c.life.conn, "ladder"); setTimeout(() => showEvent(id), 50); },
  }, true);
  const measured = measures(c, graphs.out);
  const own = graphs.out; // the kernel's numbers are of what this end sends
  const kernel = (of) => (own ? kernelColumn(c, of) : []);
  const ms = (v) => `${Number(v.toPrecision(4)).toLocaleString("en")} ms`;
  // Of what the other side sends, an end sees how soon it answers itself.
  const seen = data.ready?.capture ? "Round-trip time, as seen where it was captured" : own ? "Round-trip time" : "Time until acknowledged by this end";
  plotLines(seen, [
    { name: "wire", form: "points", points: measured.rtt, look: { drawPoints: true, pointSize: 2, strokeWidth: 0, color: colour("blue") } },
    { name: "kernel srtt", form: "line", points: kernel((k, i) => (k.srtt_us[i] ? k.srtt_us[i] / 1e3 : null)), look: { ...stepped("red"), drawPoints: true, pointSize: 3 } },
  ], ms);
  plotLines("Congestion and flight", [
    { name: "in flight (wire)", form: "line", points: measured.flight, look: stepped("blue") },
    { name: "congestion window", form: "dashes", points: kernel((k, i) => (k.mss[i] ? k.cwnd_segments[i] * k.mss[i] : null)), look: { ...stepped("red", [7, 3]), drawPoints: true, pointSize: 3 } },
    { name: "ssthresh", form: "dots", points: kernel((k, i) => (k.ssthresh_segments && k.mss[i] && k.ssthresh_segments[i] !== null ? k.ssthresh_segments[i] * k.mss[i] : null)), look: stepped("purple", [2, 3]) },
  ], bytesText, bytesAxis(""));
  plotLines("Delivery rate", [
    { name: "acknowledged (wire)", form: "line", points: measured.rate, look: stepped("blue") },
    { name: "kernel's estimate", form: "dashes", points: kernel((k, i) => (k.delivery_rate_bytes_s ? k.delivery_rate_bytes_s[i] : null)), look: { ...stepped("red", [7, 3]), drawPoints: true, pointSize: 3 } },
  ], (v) => `${bytesText(v)}/s`, bytesAxis("/s"));
}
matchMedia("(prefers-color-scheme:dark)").addEventListener("change", () => view.conn && view.tab === "graph" && openGraphs(byConn.get(view.conn)));
