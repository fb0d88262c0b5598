// SPDX-License-Identifier: Apache-2.0
// page_series.js: from the segments of a connection to what is drawn over time. One direction of data at a time.
const flag = { fin: 1, syn: 2, rst: 4, ack: 16 };

// What a segment of a direction is: numbers, and in words what is special about it.
function segmentAt(c, i) {
  const s = c.segments;
  const seqLength = s.len[i] + (s.flags[i] & flag.syn ? 1 : 0) + (s.flags[i] & flag.fin ? 1 : 0);
  return { id: s.id[i], t: s.t_us[i] / 1e6, out: s.out[i] === 1, seq: s.rel_seq[i], end: s.rel_seq[i] + seqLength, len: s.len[i], ack: s.flags[i] & flag.ack ? s.rel_ack[i] : null, win: s.win_bytes[i], flags: s.flags[i], words: s.texts[s.words[i]], cause: s.causes[s.id[i]] || "", sack: s.sack ? s.sack[i] : null };
}

// Columns of the time-sequence graph, a row for each segment: what `out` sends, and what the other side acknowledges and allows.
function sequenceRows(c, out) {
  const rows = [];
  const segments = [];
  let acked = null;
  for (let i = 0; i < c.segments.id.length; ++i) {
    const one = segmentAt(c, i);
    if (one.flags & flag.rst && one.out !== out) continue;
    const row = [one.t, null, null, null, null, null, null];
    if (one.out === out) {
      if (one.end === one.seq && !(one.flags & flag.rst)) continue;
      row[/retransmission/.test(one.words) ? 2 : 1] = one.end;
    } else {
      if (one.ack === null) continue;
      row[3] = one.ack;
      if (one.win !== null) row[4] = one.ack + one.win;
      if (/duplicate ACK/.test(one.words)) row[5] = one.ack;
      if (one.sack && one.sack.length) row[6] = one.sack[0][1];
      acked = one.ack;
    }
    rows.push(row);
    segments.push(one);
  }
  return { rows, segments, acked };
}

// Round trips that the wire shows: from a segment to what first acknowledges it; none where it was sent again (Karn).
// Bytes in flight: from the highest number acknowledged to the highest sent. Rate: what was acknowledged, over time.
function measures(c, out) {
  const rtt = [];
  const flight = [];
  const acked = [];
  const waiting = [];
  let highest = 0;
  let una = 0;
  for (let i = 0; i < c.segments.id.length; ++i) {
    const one = segmentAt(c, i);
    if (/duplicate packet/.test(one.words)) continue; // nobody sent it again
    if (one.out === out) {
      if (one.end === one.seq || one.flags & flag.rst) continue;
      if (one.end <= highest) {
        for (const each of waiting) if (each.end > one.seq && each.seq < one.end) each.again = true;
      } else {
        waiting.push({ seq: one.seq, end: one.end, t: one.t, again: /retransmission/.test(one.words) });
        highest = one.end;
      }
      flight.push([one.t, highest - una]);
    } else if (one.ack !== null && one.ack > una) {
      while (waiting.length && waiting[0].end <= one.ack) {
        const each = waiting.shift();
        if (each.end === one.ack && !each.again) rtt.push([one.t, (one.t - each.t) * 1e3]);
      }
      una = one.ack;
      highest = Math.max(highest, una);
      flight.push([one.t, highest - una]);
      acked.push([one.t, una]);
    }
  }
  return { rtt, flight, rate: rateOf(acked) };
}

// Bytes a second, of what was acknowledged within pieces of time: a hundred in all, none shorter than 10 ms.
function rateOf(acked) {
  if (acked.length < 2) return [];
  const from = acked[0][0];
  const piece = Math.max(0.01, (acked[acked.length - 1][0] - from) / 100);
  const rate = [];
  let before = acked[0][1];
  let at = 0;
  for (let end = from + piece; at < acked.length; end += piece) {
    let last = before;
    while (at < acked.length && acked[at][0] <= end) last = acked[at++][1];
    rate.push([end - piece / 2, (last - before) / piece]);
    before = last;
    if (rate.length > 10000) break;
  }
  return rate;
}

// Levels of detail. Of points: where there are more than can be told apart, of each piece of time the least and the most.
const pieces = 1500;
function thinned(list) {
  if (list.length <= 4 * pieces) return list;
  const from = list[0][0];
  const length = (list[list.length - 1][0] - from) / pieces || 1;
  const kept = [];
  for (let at = 0; at < list.length;) {
    const end = from + length * (Math.floor((list[at][0] - from) / length) + 1);
    let least = list[at];
    let most = list[at];
    const first = at;
    while (at < list.length && (at === first || list[at][0] < end)) {
      if (list[at][1] < least[1]) least = list[at];
      if (list[at][1] > most[1]) most = list[at];
      ++at;
    }
    kept.push(...(least[0] <= most[0] ? [least, most] : [most, least]));
  }
  return kept;
}

// Of the time-sequence graph: of what is in sight at most so many ordinary segments, but everything out of the ordinary.
const mostRows = 12000;
function inSight(whole, from, to) {
  const { rows, segments } = whole;
  if (rows.length <= mostRows) return whole;
  let first = rows.findIndex((row) => row[0] >= from);
  if (first < 0) first = rows.length;
  let last = first;
  while (last < rows.length && rows[last][0] <= to) ++last;
  first = Math.max(0, first - 2);
  last = Math.min(rows.length, last + 2);
  const every = Math.ceil((last - first) / mostRows);
  const kept = { rows: [], segments: [] };
  for (let i = first; i < last; ++i) {
    if (i % every !== 0 && i !== first && i !== last - 1 && rows[i][2] === null && rows[i][5] === null && rows[i][6] === null) continue;
    kept.rows.push(rows[i]);
    kept.segments.push(segments[i]);
  }
  return kept;
}

// Several series on one axis of time: [t, a, b, ...], null where one has nothing.
function merged(lists) {
  const rows = [];
  lists.forEach((list, which) => {
    for (const [t, value] of list) {
      const row = [t, ...lists.map(() => null)];
      row[which + 1] = value;
      rows.push(row);
    }
  });
  return rows.sort((a, b) => a[0] - b[0]);
}

// A column of what the kernel knew of its own sending, where there is one.
function kernelColumn(c, of) {
  const list = [];
  for (const from of [c.kernel, c.samples]) {
    if (!from) continue;
    from.t_us.forEach((t, i) => {
      const value = of(from, i);
      if (value !== null && value !== undefined && !Number.isNaN(value)) list.push([t / 1e6, value]);
    });
  }
  return list.sort((a, b) => a[0] - b[0]);
}
