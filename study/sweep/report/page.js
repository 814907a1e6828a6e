"use strict";
// Draws the figures. Every number comes from the data element; nothing is fetched.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  for (const point of data.points) {
    point[2] = Object.fromEntries(data.names.map((name, i) => [name, point[2][i] ?? undefined]));
  }
  const valueOf = (point, metric) => data.points[point][2][metric];
  const configurationOf = (point) => data.configurations[data.points[point][1]];
  const titleOf = (metric) => data.metrics[metric].heading;

  // The panel: a configuration, the file that describes it, and the command that exports it.
  function pick(point, configuration) {
    const [source, own, values] = data.points[point];
    const found = data.configurations[configuration ?? own];
    byId("picked-label").textContent = found.label;
    byId("picked-toml").textContent = found.toml.map((i) => data.lines[i]).join("\n") + "\n";
    byId("picked-command").textContent = found.command.map((i) => data.words[i]).join(" ");
    byId("picked-source").textContent = source;
    const rows = Object.keys(data.metrics).filter((name) => values[name] !== undefined)
      .map((name) => [titleOf(name), number(values[name]), data.metrics[name].meaning]);
    const costs = found.designs.map(([target, lanes, figures]) =>
      [`${target}, ${lanes} lane${lanes > 1 ? "s" : ""}`,
        `${number(figures.lut)} LUT, ${number(figures.fmax_mhz)} MHz`]);
    for (const [id, entries] of [["picked-values", rows], ["picked-costs", costs]]) {
      byId(id).replaceChildren(...entries.flatMap(([name, value, meaning]) => {
        const term = document.createElement("dt"), detail = document.createElement("dd");
        term.textContent = name;
        if (meaning) term.title = meaning;
        detail.textContent = value;
        return [term, detail];
      }));
    }
    byId("picked-costs-title").hidden = costs.length === 0;
  }
  function clicks(id) {
    byId(id).on("plotly_click", (event) => {
      const chosen = event.points[0].customdata;
      if (chosen) pick(chosen[0], chosen[1]);
    });
  }
  const named = (names) => names.map((name) => [name, name]);
  const widths = (names) => names.map((name) => [name, `${data.widths[name]} bits`]);
  const metrics = (names) => names.map((name) => [name, titleOf(name)]);

  // Errors that span decades are on a log axis; shares, sums and LSB are not.
  const scaleOf = (metric, values) =>
    data.metrics[metric].log && Math.min(...values) > 0 ? "log" : "linear";
  const log = (type) => (value) => type === "log" ? Math.log10(value) : value;
  // Room for the baselines next to the data: those far away would flatten the figure. Those that
  // lie on one another share a line and its label.
  function baselines(source, metric, values, type, room, kinds) {
    const of = log(type);
    const all = (data.floats[source] ?? []).map(([name, found]) => [name, found[metric]])
      .filter(([name, value]) => value !== undefined && (!kinds || kinds.includes(name)));
    const [low, high] = rangeOf(values, type, metric);
    const reach = [low - room * (high - low), high + room * (high - low)];
    const inside = ([, value]) => (type !== "log" || value > 0)
      && of(value) >= reach[0] && of(value) <= reach[1];
    const near = [];
    for (const [name, value] of all.filter(inside)) {
      const same = near.find((one) => Math.abs(of(one[1]) - of(value)) < 0.012 * (high - low));
      if (same) same[2].push(name);
      else near.push([name, value, [name]]);
    }
    for (const one of near) {
      if (one[2].length > 1) one[0] += one[2].length > 2 ? ` + ${one[2].length - 1} more`
        : `, ${one[2][1]}`;
    }
    return { near, far: all.filter((one) => !inside(one)) };
  }
  // The axis of a metric: no wider than the values, but no closer than what can be noticed.
  function rangeOf(values, type, metric) {
    let low = Math.min(...values), high = Math.max(...values);
    if (type === "log") {
      [low, high] = [Math.log10(low), Math.log10(high)];
      const extra = Math.max(0, 1.5 - (high - low)) / 2;
      return [low - extra - 0.12 * (high - low) - 0.05, high + extra + 0.12 * (high - low) + 0.05];
    }
    const figure = data.metrics[metric];
    if (figure?.zero) low = Math.min(low, 0);
    const span = Math.max(high - low, figure?.least ?? 0, 0.02 * Math.abs(high)) || 1;
    const extra = (span - (high - low)) / 2;
    [low, high] = [low - extra, high + extra];
    return [low - (figure?.zero && low >= 0 ? 0.03 : 0.1) * span, high + 0.1 * span];
  }
  // Labels of lines, pushed apart: fractions of the height, ascending.
  function spread(places, gap) {
    const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]), moved = [];
    let last = -Infinity;
    for (const i of order) { moved[i] = last = Math.max(places[i], last + gap); }
    let next = 1;
    for (const i of order.reverse()) {
      moved[i] = Math.min(moved[i], next);
      next = moved[i] - gap;
    }
    return moved;
  }

  function drawFront() {
    const source = byId("front-source").value;
    const target = byId("front-cost").value, byBits = target === "";
    const cloud = data.clouds[source];
    const offered = byBits ? cloud.fronts : data.areas[source][target];
    const names = Object.keys(offered).filter((name) => byBits || offered[name].length);
    const metric = fill("front-metric", metrics(names));
    const groups = [];
    if (byBits && metric) {
      const shown = cloud.points.map((point, i) => [point, cloud.bits[i]])
        .filter(([point]) => valueOf(point, metric) !== undefined);
      const place = new Map(shown.map(([point], i) => [point, i]));
      groups.push({ name: "measured", points: shown.map(([point]) => point),
        cost: shown.map(([, bits]) => bits),
        front: cloud.fronts[metric].map((point) => place.get(point)) });
    } else if (metric) groups.push(...offered[metric]);
    const traces = [], all = groups.flatMap((group) => group.points.map((p) => valueOf(p, metric)));
    if (!all.length) {
      Plotly.purge("fig-front");
      byId("front-seen").textContent = "Nothing was measured that has this cost.";
      return;
    }
    const type = scaleOf(metric, all), floats = baselines(source, metric, all, type, 0.4);
    groups.forEach((group, g) => {
      const y = group.points.map((point) => valueOf(point, metric));
      const on = new Set(group.front), colour = COLOURS[g % COLOURS.length];
      traces.push({ x: group.front.map((i) => group.cost[i]), y: group.front.map((i) => y[i]),
        mode: "lines", line: { shape: "hv", color: colour, width: 2 }, hoverinfo: "skip",
        name: `front, ${group.name}`, showlegend: false });
      traces.push({ x: group.cost, y, mode: "markers", name: group.name,
        customdata: group.points.map((point, i) => [point, group.configurations?.[i]]),
        text: group.points.map((point, i) => {
          const own = group.configurations ? data.configurations[group.configurations[i]]
            : configurationOf(point);
          return own.label.replaceAll(", ", "<br>");
        }),
        hovertemplate: `%{text}<br><b>${byBits ? "%{x} bits" : "%{x:,} LUT"}</b>, %{y:.3~g}`
          + "<extra></extra>",
        marker: { color: colour, symbol: SYMBOLS[g % SYMBOLS.length],
          size: group.points.map((_, i) => on.has(i) ? 11 : byBits ? 6 : 9),
          opacity: group.points.map((_, i) => on.has(i) ? 1 : 0.4),
          line: { color: "#fff", width: 1 } } });
    });
    const range = rangeOf([...all, ...floats.near.map(([, value]) => value)], type, metric);
    const costs = groups.flatMap((group) => group.cost);
    const [left, right] = rangeOf(costs, "linear");
    const at = (value) => (log(type)(value) - range[0]) / (range[1] - range[0]);
    const heights = spread(floats.near.map(([, value]) => at(value)), 0.034);
    Plotly.react("fig-front", traces, layout({
      margin: { l: 76, r: 112, t: 16, b: 56 },
      xaxis: axis(byBits ? "Bits of an element, input + output" : `Area on ${target} (LUT)`,
        { range: [left, right], ...(byBits ? {} : { tickformat: "," }) }),
      yaxis: axis(titleOf(metric), { type, range, exponentformat: "power", ...logTicks(type) }),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      showlegend: groups.length > 1,
      shapes: floats.near.map(([, value]) => ({ type: "line", xref: "paper", x0: 0, x1: 1,
        y0: value, y1: value, line: { color: "#8a94a0", width: 1, dash: "dot" },
        layer: "below" })),
      annotations: floats.near.map(([name], i) => ({ xref: "paper", yref: "paper", x: 1,
        y: heights[i], text: name, hovertext: floats.near[i][2].join(", "), showarrow: false,
        xanchor: "left", yanchor: "middle", font: { ...FONT, size: 12, color: SOFT } })),
    }), CONFIG);
    const biggest = groups.reduce((a, b) => b.points.length > a.points.length ? b : a);
    const ends = [biggest.front[0], biggest.front.at(-1)];
    const [first, last] = ends.map((i) => [biggest.cost[i], valueOf(biggest.points[i], metric)]);
    const unit = byBits ? "bits" : "LUT";
    const many = groups.length > 1 ? ` of ${biggest.name}` : "";
    byId("front-seen").textContent = `${biggest.front.length} of ${biggest.points.length}`
      + ` ${byBits ? "points" : "designs"}${many} are on the front: ${number(first[1])} at`
      + ` ${number(first[0])} ${unit}`
      + (ends[0] === ends[1] ? "." : `, down to ${number(last[1])} at ${number(last[0])} ${unit}.`);
    byId("front-note").textContent = [
      byBits && cloud.points.length < cloud.of
        ? `${cloud.points.length} of ${cloud.of} points are drawn; results.csv has them all.` : "",
      floats.far.length ? "Baselines outside the figure: "
        + floats.far.map(([name, value]) => `${name} ${number(value)}`).join(", ") + "." : "",
    ].filter(Boolean).join(" ");
  }
  const logTicks = (type) => type === "log" ? { dtick: 1, minor: { showgrid: false } } : {};

  const SMALL = ["fp16", "bf16", "fp8 e4m3", "fp8 e5m2"]; // what a small figure has room for
  function drawBits() {
    const source = byId("bits-source").value;
    const width = fill("bits-width", widths(Object.keys(data.curves[source])));
    const curves = data.curves[source][width] ?? {}, names = Object.keys(curves);
    const columns = Math.max(1, Math.min(3, Math.floor(byId("fig-bits").clientWidth / 330)));
    const rows = Math.ceil(names.length / columns);
    byId("fig-bits").style.height = `${rows * 268 + 40}px`;
    const traces = [], more = { annotations: [], shapes: [] };
    const gapX = 0.055, gapY = 78 / (rows * 268);
    const wide = (1 - gapX * (columns - 1)) / columns, high = (1 - gapY * (rows - 1)) / rows;
    names.forEach((name, i) => {
      const { bits, best, median, knee, shape } = curves[name];
      const y = best.map((point) => valueOf(point, name)), type = scaleOf(name, [...y, ...median]);
      const tail = i ? String(i + 1) : "", x0 = (i % columns) * (wide + gapX);
      const y1 = 1 - Math.floor(i / columns) * (high + gapY);
      const lows = best.map((point) => data.points[point][2].top1_low);
      const highs = best.map((point) => data.points[point][2].top1_high);
      const bars = name === "top1" && [...lows, ...highs].every((value) => value !== undefined);
      const extent = [...y, ...median, ...(bars ? [...lows, ...highs] : [])];
      const floats = baselines(source, name, extent, type, 0.1, SMALL).near;
      const range = rangeOf([...extent, ...floats.map(([, value]) => value)], type, name);
      traces.push({ x: bits, y: median, mode: "lines", xaxis: `x${tail}`, yaxis: `y${tail}`,
        name: "median", legendgroup: "median", showlegend: i === 0, hoverinfo: "skip",
        line: { color: "#56b4e9", width: 1.5, dash: "dash" } });
      traces.push({ x: bits, y, mode: "lines+markers", xaxis: `x${tail}`, yaxis: `y${tail}`,
        name: "best", legendgroup: "best", showlegend: i === 0,
        customdata: best.map((point) => [point]),
        text: best.map((point) => configurationOf(point).label.replaceAll(", ", "<br>")),
        hovertemplate: "%{text}<br><b>%{x} bits</b>: %{y:.3~g}<extra></extra>",
        line: { color: COLOURS[0], width: 2 }, marker: { size: 7 },
        ...(bars ? { error_y: {
          type: "data", symmetric: false, array: highs.map((v, k) => v - y[k]),
          arrayminus: lows.map((v, k) => y[k] - v), color: "#8a94a0", thickness: 1, width: 3,
        } } : {}) });
      if (shape === "knee") {
        const place = bits.indexOf(knee);
        traces.push({ x: [knee], y: [y[place]], mode: "markers", xaxis: `x${tail}`,
          yaxis: `y${tail}`, name: "knee", legendgroup: "knee",
          showlegend: false, hoverinfo: "skip",
          marker: { size: 15, symbol: "circle-open", color: MARK, line: { width: 2.5 } } });
        more.shapes.push({ type: "line", xref: `x${tail}`, yref: `y${tail} domain`, x0: knee,
          x1: knee, y0: 0, y1: 1, line: { color: MARK, width: 1, dash: "dash" },
          layer: "below" });
      }
      for (const [found, value] of floats) {
        more.shapes.push({ type: "line", xref: `x${tail} domain`, yref: `y${tail}`, x0: 0, x1: 1,
          y0: value, y1: value, line: { color: "#8a94a0", width: 1, dash: "dot" },
          layer: "below" });
      }
      const of = log(type);
      const places = floats.map(([, value]) => (of(value) - range[0]) / (range[1] - range[0]));
      const heights = spread(places, 0.075);
      floats.forEach(([found], k) => more.annotations.push({ xref: `x${tail} domain`,
        yref: `y${tail} domain`, x: 1, y: heights[k], xanchor: "right", yanchor: "bottom",
        text: found, showarrow: false, font: { ...FONT, size: 10, color: SOFT } }));
      const shown = { knee: `<span style="color:${MARK}">knee at ${knee} bits</span>`,
        flat: `flat: ${knee} bits do`, falling: `still falling at ${bits.at(-1)} bits` }[shape];
      more.annotations.push({ xref: `x${tail} domain`, yref: `y${tail} domain`, x: 0, y: 1,
        xanchor: "left", yanchor: "bottom", showarrow: false, align: "left",
        text: `<b>${titleOf(name)}</b><br>${shown}`, hovertext: data.metrics[name].meaning,
        font: { ...FONT, size: 12 } });
      more[`xaxis${tail}`] = axis("", { domain: [x0, x0 + wide], anchor: `y${tail}`,
        ...(bits.length < 10 ? { tickvals: bits } : {}), tickfont: { size: 11 } });
      more[`yaxis${tail}`] = axis("", { domain: [y1 - high, y1], anchor: `x${tail}`, type, range,
        exponentformat: "power", nticks: 5, tickfont: { size: 11 },
        ...(type === "log" ? { dtick: Math.max(1, Math.ceil((range[1] - range[0]) / 5)) } : {}) });
    });
    const shapes = names.map((name) => curves[name]);
    const knees = shapes.filter((curve) => curve.shape === "knee").map((curve) => curve.knee);
    byId("bits-seen").textContent = !names.length ? "No width was swept." : knees.length
      ? `${knees.length} of ${names.length} curves have a knee, at `
        + `${Math.min(...knees)}${new Set(knees).size > 1 ? ` to ${Math.max(...knees)}` : ""}`
        + ` bits; ${shapes.filter((curve) => curve.shape === "falling").length} still fall,`
        + ` ${shapes.filter((curve) => curve.shape === "flat").length} are flat.`
      : `No curve has a knee: ${shapes.filter((curve) => curve.shape === "falling").length} still`
        + ` fall, ${shapes.filter((curve) => curve.shape === "flat").length} are flat.`;
    Plotly.react("fig-bits", traces, layout({ margin: { l: 54, r: 12, t: 62, b: 36 },
      showlegend: names.length > 0,
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom",
        yref: "container" }, ...more }), CONFIG);
  }

  function drawMap() {
    const source = byId("map-source").value, maps = data.maps[source];
    const pairs = Object.keys(maps).map((pair) => pair.split("|"));
    const names = [...new Set(pairs.flat())];
    const a = fill("map-rows", widths(names));
    const others = names.filter((name) => maps[`${a}|${name}`] || maps[`${name}|${a}`]);
    const b = fill("map-columns", widths(others));
    const turned = !maps[`${a}|${b}`], found = maps[turned ? `${b}|${a}` : `${a}|${b}`] ?? {};
    const metric = fill("map-metric", metrics(Object.keys(found)));
    if (!metric) {
      Plotly.purge("fig-map");
      byId("map-seen").textContent = "Fewer than two widths were swept: there is no map.";
      return;
    }
    let { rows, columns, cells } = found[metric];
    if (turned) {
      cells = columns.map((_, i) => cells.map((row) => row[i]));
      [rows, columns] = [columns, rows];
    }
    const z = cells.map((row) => row.map((p) => p === null ? null : valueOf(p, metric)));
    const known = z.flat().filter((value) => value !== null);
    const type = scaleOf(metric, known), of = log(type), steep = type === "log";
    const shade = z.map((row) => row.map((value) => value === null ? null : of(value)));
    const [low, high] = steep ? [of(Math.min(...known)), of(Math.max(...known))]
      : rangeOf(known, type, metric);
    const ticks = [];
    if (steep) for (let k = Math.ceil(low); k <= high; k += 1) ticks.push(k);
    const annotations = [];
    if (known.length <= 200) z.forEach((row, i) => row.forEach((value, j) => {
      if (value === null) return;
      const bright = (shade[i][j] - low) / (high - low || 1) > 0.55;
      annotations.push({ x: j, y: i, text: number(value), showarrow: false,
        captureevents: false, font: { size: 12, color: bright ? "#111" : "#fff" } });
    }));
    Plotly.react("fig-map", [{ type: "heatmap", z: shade, x: columns.map((_, j) => j),
      y: rows.map((_, i) => i), colorscale: "Cividis", zmin: low, zmax: high, xgap: 2, ygap: 2, hoverongaps: false,
      customdata: cells.map((row) => row.map((point) => point === null ? null : [point])),
      text: cells.map((row, i) => row.map((point, j) => point === null ? ""
        : configurationOf(point).label.replaceAll(", ", "<br>") + `<br><b>${number(z[i][j])}</b>`)),
      hovertemplate: "%{text}<extra></extra>",
      colorbar: { title: { text: steep ? "log scale" : "", side: "right" }, thickness: 14,
        outlinewidth: 0, ...(steep ? ticks.length > 1
          ? { tickvals: ticks, ticktext: ticks.map((k) => `10<sup>${k}</sup>`) }
          : { tickvals: [low, high], ticktext: [low, high].map((k) => number(10 ** k)) }
        : {}) } }],
    layout({ annotations, xaxis: axis(`${cap(data.widths[b])} bits`, { showgrid: false,
      tickvals: columns.map((_, j) => j), ticktext: columns.map(String) }),
    yaxis: axis(`${cap(data.widths[a])} bits`, { showgrid: false,
      tickvals: rows.map((_, i) => i), ticktext: rows.map(String) }) }), CONFIG);
    let least = [0, 0], most = [0, 0];
    z.forEach((row, i) => row.forEach((value, j) => {
      if (value === null) return;
      if (z[least[0]][least[1]] === null || value < z[least[0]][least[1]]) least = [i, j];
      if (z[most[0]][most[1]] === null || value > z[most[0]][most[1]]) most = [i, j];
    }));
    const where = ([i, j]) => `${number(z[i][j])} at ${rows[i]} ${data.widths[a]} and ${columns[j]}`
      + ` ${data.widths[b]} bits`;
    const [worst, finest] = [most, least].map(([i, j]) => number(z[i][j]));
    byId("map-seen").textContent = `${data.metrics[metric].title}: `
      + (worst === finest ? `${worst} whatever the bits.`
        : `from ${where(most)} down to ${where(least)}.`);
  }
  const cap = (text) => text[0].toUpperCase() + text.slice(1);

  function drawLogits() {
    const kind = byId("logits-kind").value, shown = data.histograms;
    const columns = Math.max(1, Math.min(shown.length, 3,
      Math.floor(byId("fig-logits").clientWidth / 330)));
    const rows = Math.ceil(shown.length / columns);
    byId("fig-logits").style.height = `${rows * 330 + 30}px`;
    const more = { annotations: [], shapes: [] }, traces = [];
    const gapX = 0.06, gapY = 0.12;
    const wide = (1 - gapX * (columns - 1)) / columns, high = (1 - gapY * (rows - 1)) / rows;
    shown.forEach((source, i) => {
      const { start, step, counts, clips, main } = source[kind], tail = i ? String(i + 1) : "";
      const x0 = (i % columns) * (wide + gapX);
      const y1 = 1 - Math.floor(i / columns) * (high + gapY);
      const end = start + step * counts.length;
      traces.push({ type: "bar", x: counts.map((_, k) => start + step * (k + 0.5)), y: counts,
        width: step, marker: { color: COLOURS[5], line: { width: 0 } }, showlegend: false,
        xaxis: `x${tail}`, yaxis: `y${tail}`,
        hovertemplate: "%{x:.3~g}: %{y:,} elements<extra></extra>" });
      const reach = kind === "input" ? Math.max(-start, end) : end;
      const marked = Object.keys(clips).map(Number)
        .filter((place) => place <= 1.3 * reach || place === main);
      for (const place of marked) {
        for (const x of kind === "input" ? [-place, place] : [place]) {
          more.shapes.push({ type: "line", xref: `x${tail}`, yref: `y${tail} domain`, x0: x,
            x1: x, y0: 0, y1: place === main ? 1 : 0.06, line: { color: MARK,
              width: place === main ? 2 : 1.5, dash: place === main ? "dash" : "solid" } });
        }
      }
      const sign = kind === "input" ? "±" : "";
      more.annotations.push({ xref: `x${tail} domain`, yref: `y${tail} domain`, x: 0, y: 1,
        yshift: 4, xanchor: "left", yanchor: "bottom", showarrow: false, align: "left",
        text: `<b>${source.name}</b>, ${source[kind].least} to ${source[kind].most}<br>`
          + (main === null ? "no configuration clips this"
            : `<span style="color:${MARK}">clip at ${sign}${number(main)}: `
              + `${clips[String(main)]} beyond</span>`),
        font: { ...FONT, size: 12 } });
      const far = Math.max(reach, ...marked) * 1.06;
      more[`xaxis${tail}`] = axis("", { domain: [x0, x0 + wide], anchor: `y${tail}`,
        range: kind === "input" ? [-far, far] : [-0.02 * far, far] });
      more[`yaxis${tail}`] = axis(i ? "" : "elements", { domain: [y1 - high, y1],
        anchor: `x${tail}`, type: "log", dtick: 1, exponentformat: "power",
        range: [Math.log10(0.6), Math.log10(2 * Math.max(...counts))] });
    });
    const cut = shown.filter((source) => source[kind].main !== null);
    byId("logits-seen").textContent = cut.length ? cut.map((source) => `${cap(source.name)}: `
      + `${source[kind].clips[String(source[kind].main)]} of the elements lie beyond `
      + `${kind === "input" ? "±" : ""}${number(source[kind].main)}`).join(". ") + "."
      : "No configuration clips this.";
    Plotly.react("fig-logits", traces, layout({ bargap: 0, showlegend: false,
      margin: { l: 64, r: 12, t: 50, b: 40 }, ...more }), CONFIG);
  }

  // What is shown first: the source with most knees, and the error that the widths change most.
  const knees = (source) => Object.values(data.curves[source]).flatMap((found) =>
    Object.values(found)).filter((found) => found.shape === "knee").length;
  const telling = [...data.sources].sort((a, b) => knees(b) - knees(a))[0];
  fill("front-source", named(data.sources), telling);
  for (const id of ["bits-source", "map-source"]) fill(id, named(data.sources), telling);
  fill("front-cost", [...data.targets.map((target) => [target, `LUT on ${target}`]),
    ["", "bits of input + output"]], data.targets[0] ?? "");
  byId("logits-kind").value = data.histograms.some((s) => s.input.main !== null)
    || !data.histograms.length ? "input" : "difference";
  if (data.sources.length) {
    const [pair] = Object.entries(data.maps[telling]);
    if (pair) {
      const wide = Object.entries(pair[1]).map(([name, found]) => {
        const z = found.cells.flat().filter((p) => p !== null).map((p) => valueOf(p, name));
        return [name, Math.max(...z) / (Math.min(...z) || Infinity)];
      });
      const [first] = wide.find(([, ratio]) => ratio > 3) ?? wide[0];
      fill("map-metric", metrics([first]), first);
      fill("front-metric", metrics([first]), first);
    }
    drawFront(); drawBits(); drawMap();
    const name = [telling, ...data.sources].find((name) => data.recommended[name]);
    if (name) pick(...data.recommended[name]);
    for (const id of ["fig-front", "fig-bits", "fig-map"]) if (byId(id).on) clicks(id);
    onChange(["front-source", "front-cost", "front-metric"], drawFront);
    onChange(["bits-source", "bits-width"], drawBits);
    onChange(["map-source", "map-rows", "map-columns", "map-metric"], drawMap);
  }
  if (data.histograms.length) {
    drawLogits();
    onChange(["logits-kind"], drawLogits);
  }
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    if (data.sources.length) drawBits();
    if (data.histograms.length) drawLogits();
  });
  document.body.dataset.drawn = "yes";
})();
