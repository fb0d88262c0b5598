// SPDX-License-Identifier: Apache-2.0
// page_data.js: the data of the page, and values as text.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const connections = data.connections;

// What controls, or turns a line round, is shown as '?', as in the ladders. Names are in lives, findings and heads alone.
const orders = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
function cleanse(object) {
  for (const [key, value] of Object.entries(object || {})) {
    if (typeof value === "string") object[key] = value.replace(orders, "?");
    else if (typeof value === "object") cleanse(value);
  }
}
for (const each of connections) [each.life, each.findings].forEach(cleanse);
[data.ready, data.summary].forEach(cleanse);

const byConn = new Map(connections.map((each) => [each.life.conn, each]));

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "text") element.textContent = value;
    else if (key === "on") for (const [event, action] of Object.entries(value)) element.addEventListener(event, action);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const endpoint = (end) => (end.ip.includes(":") ? `[${end.ip}]` : end.ip) + (end.port ? `:${end.port}` : "");
const processText = (life) => (life.pid ? `${life.comm}[${life.pid}]` : "");

function bytesText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    ++unit;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function timeText(ns) {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} us`;
  if (ns < 1e9) return `${(ns / 1e6).toPrecision(3)} ms`;
  if (ns < 1e11) return `${(ns / 1e9).toPrecision(3)} s`;
  const units = [["d", 864e11], ["h", 36e11], ["min", 6e10]];
  const [name, length] = units.find(([, each]) => ns >= 2 * each) || units[2];
  return `${(ns / length).toPrecision(3)} ${name}`;
}

// Values at which an axis has its labels: about so many, and round in the units that the labels have.
function multiples(step, from, to) {
  const values = [];
  for (let i = Math.ceil(from / step); i * step <= to; ++i) values.push(i * step);
  return values;
}
function decimalStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) * power;
}
function timeTicks(from, to, many) {
  const least = Math.max(1, (to - from) / many);
  const long = [3e10, 6e10, 12e10, 3e11, 6e11, 18e11, 36e11, 72e11, 216e11, 432e11, 864e11];
  const step = least <= 2e10 ? decimalStep(least) : long.find((each) => each >= least) || 864e11 * decimalStep(least / 864e11);
  const units = [["d", 864e11], ["h", 36e11], ["min", 6e10], ["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];
  const few = (length) => length < 6e10 || Number.isInteger((step / length) * 4);
  const [name, length] = units.find(([, each]) => each <= to && few(each)) || units[units.length - 1];
  return multiples(step, from, to).map((v) => ({ v, label: `${Number((v / length).toFixed(9))} ${name}` }));
}
function byteTicks(from, to, many) {
  const step = 2 ** Math.ceil(Math.log2(Math.max(1, (to - from) / many)));
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  return multiples(step, from, to).map((v) => {
    const unit = v < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(v) / 10));
    return { v, label: `${Number((v / 1024 ** unit).toFixed(3))} ${units[unit]}` };
  });
}

// How an end is shown: its class, which has a colour, a pattern and a mark.
function verdict(life) {
  if (byConn.get(life.conn).stray) return "unclear";
  if (life.outcome === "completed") return "good";
  if (life.outcome === "open") return "still";
  return life.outcome === "unknown" ? "unclear" : "bad";
}
const isProblem = (each) => verdict(each.life) === "bad" || each.findings.some((one) => one.rule !== "time-wait");

const outcomeText = (c) => (c.stray ? "no connection" : c.life.outcome);

// Times in ns are beyond 2^53: differences are right to a microsecond.
const firstNs = connections.reduce((least, each) => Math.min(least, each.life.start_ts_ns), Infinity);
