// SPDX-License-Identifier: Apache-2.0
// page_ladder.js: a ladder of the page: its pieces become elements where they are looked at; evidence lights up.
const svgNamespace = "http://www.w3.org/2000/svg";
const headHeight = 76;
const ladder = { shown: null, top: null, body: null, size: 1, sized: false, lit: new Set(), chosen: null };

const pieceText = (conn, piece) => $(`ladder-${conn}-${piece}`).textContent;

function svg(width, height, content) {
  const element = document.createElementNS(svgNamespace, "svg");
  element.setAttribute("viewBox", `0 0 ${width} ${height}`);
  element.classList.add("ladder");
  element.innerHTML = content;
  return element;
}

function openLadder(c) {
  const { width, height } = c.ladder;
  ladder.shown = c;
  ladder.lit = new Set();
  ladder.chosen = null;
  ladder.top = svg(width, headHeight, $(`ladder-${c.life.conn}`).textContent);
  ladder.top.classList.add("top");
  ladder.body = svg(width, height, c.ladder.tops.map((_, piece) => `<g data-piece="${piece}"></g>`).join(""));
  ladder.body.setAttribute("role", "img");
  ladder.body.setAttribute("aria-label", `Ladder diagram of ${c.ladder.rows} events`);
  $("ladder").replaceChildren(ladder.top, ladder.body);
  $("ladder").scrollTop = 0;
  firstSize();
  resizeLadder();
  fillLadder();
}

// Until somebody chooses a size: all lanes are in sight, as far as they can be read then.
function firstSize() {
  if (!ladder.sized && $("ladder").clientWidth) ladder.size = Math.min(1, Math.max(0.6, fitSize()));
}

function resizeLadder() {
  const { width, height } = ladder.shown.ladder;
  for (const [element, tall] of [[ladder.top, headHeight], [ladder.body, height]]) {
    element.setAttribute("width", Math.round(width * ladder.size));
    element.setAttribute("height", Math.round(tall * ladder.size));
  }
}

function setSize(size) {
  ladder.sized = true;
  const box = $("ladder");
  const middle = box.scrollTop / ladder.size;
  ladder.size = Math.min(4, Math.max(0.1, size));
  resizeLadder();
  box.scrollTop = middle * ladder.size;
  fillLadder();
}

const fitSize = () => $("ladder").clientWidth / ladder.shown.ladder.width;

function fill(piece) {
  const group = ladder.body.children[piece];
  if (!group || group.firstChild) return group;
  group.innerHTML = pieceText(ladder.shown.life.conn, piece);
  lightUp(group);
  return group;
}

// What is in sight, and a piece around it. What is far away is text again.
function fillLadder(all) {
  if (!ladder.shown) return;
  const tops = ladder.shown.ladder.tops;
  const box = $("ladder");
  const from = box.scrollTop / ladder.size - headHeight;
  const to = from + box.clientHeight / ladder.size + headHeight;
  tops.forEach((top, piece) => {
    const end = piece + 1 < tops.length ? tops[piece + 1] : Infinity;
    if (all || (top <= to + 600 && end >= from - 600)) fill(piece);
    else if (top > to + 8000 || end < from - 8000) ladder.body.children[piece].replaceChildren();
  });
}

// A row by its place: a number can be of several, such as a transition and the segment that it was concluded from.
const rowsOf = (piece) => [...ladder.body.children[piece].querySelectorAll(".r[data-id]")];
function placeOf(element) {
  const piece = Number(element.closest("[data-piece]").dataset.piece);
  return { piece, at: rowsOf(piece).indexOf(element) };
}
const isBehind = (one, other) => one.piece > other.piece || (one.piece === other.piece && one.at > other.at);

function lightUp(within) {
  const chosen = ladder.chosen && rowsOf(ladder.chosen.piece)[ladder.chosen.at];
  for (const each of within.querySelectorAll(".r[data-id]")) {
    const lit = ladder.lit.has(Number(each.dataset.id)) || ladder.lit.has(Number(each.dataset.also));
    each.classList.toggle("lit", lit);
    each.classList.toggle("chosen", each === chosen);
  }
}

function setLit(ids) {
  ladder.lit = new Set(ids);
  lightUp(ladder.body);
}

const evidenceOf = (remark) => remark.dataset.evidence.split(" ").filter(Boolean).map(Number);

// Goes to an event: its piece is found in the text.
function showEvent(id) {
  const c = ladder.shown;
  const there = (piece) => {
    const text = pieceText(c.life.conn, piece);
    return text.includes(`data-id="${id}"`) || text.includes(`data-also="${id}"`);
  };
  const piece = c.ladder.tops.findIndex((_, at) => there(at));
  if (piece < 0) return false;
  const group = fill(piece);
  choose(group.querySelector(`[data-id="${id}"],[data-also="${id}"]`));
  return true;
}

const rowWords = (element) => [...element.querySelectorAll("text")].map((text) => (text.querySelector("title") || text).textContent).join("  ");

function choose(element) {
  if (!element) return;
  ladder.chosen = placeOf(element);
  lightUp(ladder.body);
  $("status").textContent = `#${rowWords(element)}`;
  const box = $("ladder");
  const y = element.getBBox().y * ladder.size + ladder.top.clientHeight;
  if (y < box.scrollTop + 120 || y > box.scrollTop + box.clientHeight - 60) box.scrollTop = y - box.clientHeight / 2;
  fillLadder();
}

// The next row, or the one before: also in a piece that is not filled yet.
function step(by) {
  if (!ladder.chosen) {
    const rows = [...ladder.body.querySelectorAll(".r[data-id]")];
    return choose(rows.find((element) => element.querySelector(".z").getBoundingClientRect().top > ladder.top.getBoundingClientRect().bottom - 4) || rows[0]);
  }
  let { piece } = ladder.chosen;
  fill(piece);
  let next = rowsOf(piece)[ladder.chosen.at + by];
  for (piece += by; !next && fill(piece); piece += by) next = rowsOf(piece).at(by > 0 ? 0 : -1);
  choose(next);
}

function stepFinding(by) {
  for (let piece = 0; piece < ladder.shown.ladder.tops.length; ++piece) fill(piece);
  const remarks = [...ladder.body.querySelectorAll(".o")];
  if (remarks.length === 0) return;
  const at = remarks.indexOf(document.activeElement);
  const next = remarks[(at + by + remarks.length) % remarks.length];
  next.focus();
  next.scrollIntoView({ block: "center" });
  fillLadder();
}

// The next event whose words have the text, from the chosen one on.
function searchLadder(text) {
  const wanted = text.toLowerCase();
  const c = ladder.shown;
  const found = [];
  c.ladder.tops.forEach((_, piece) => {
    pieceText(c.life.conn, piece).split('<g class="r').slice(1).filter((each) => /data-id="\d+"/.test(each.slice(0, 80))).forEach((each, at) => {
      if (each.replace(/<[^>]*>/g, " ").toLowerCase().includes(wanted)) found.push({ piece, at });
    });
  });
  if (found.length === 0) {
    $("status").textContent = `no event has "${text}"`;
    return;
  }
  const next = Math.max(0, found.findIndex((place) => !ladder.chosen || isBehind(place, ladder.chosen)));
  fill(found[next].piece);
  choose(rowsOf(found[next].piece)[found[next].at]);
  $("status").textContent = `${next + 1} of ${found.length}: ${$("status").textContent}`;
}

function startLadder() {
  const box = $("ladder");
  box.addEventListener("scroll", () => requestAnimationFrame(() => fillLadder()), { passive: true });
  window.addEventListener("resize", () => {
    if (!ladder.shown) return;
    firstSize();
    resizeLadder();
    fillLadder();
  });
  window.addEventListener("beforeprint", () => fillLadder(true));
  const lightOf = (event) => {
    const remark = event.target.closest(".o");
    const line = event.target.closest(".r[data-id]");
    if (remark) return setLit(evidenceOf(remark));
    if (!line || event.type !== "mouseover") return setLit([]);
    // An event shows the findings that rest on it.
    for (const each of ladder.body.querySelectorAll(".o")) {
      const ids = evidenceOf(each);
      each.classList.toggle("lit", ids.includes(Number(line.dataset.id)) || ids.includes(Number(line.dataset.also)));
    }
    return setLit([]);
  };
  box.addEventListener("mouseover", lightOf);
  box.addEventListener("focusin", lightOf);
  box.addEventListener("focusout", () => setLit([]));
  box.addEventListener("click", (event) => {
    const remark = event.target.closest(".o");
    if (remark && evidenceOf(remark).length > 0) {
      const lit = evidenceOf(remark);
      showEvent(lit[0]);
      return setLit(lit);
    }
    return choose(event.target.closest(".r[data-id]"));
  });
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    setSize(ladder.size * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
  }, { passive: false });
  $("larger").addEventListener("click", () => setSize(ladder.size * 1.25));
  $("smaller").addEventListener("click", () => setSize(ladder.size / 1.25));
  $("fit").addEventListener("click", () => setSize(fitSize()));
}
