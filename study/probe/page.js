"use strict";
// Draws what a probe saw.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = data.sites.map((site) => site.name), HEIGHT = 24;
  const share = (value) => value === null || value === undefined ? "–"
    : `${number(100 * value)} %`;
  const siteOf = (name) => data.sites.find((site) => site.name === name);
  const listed = (all) => all.map((name) => [name, name]);
  const has = (id) => byId(id) !== null;
  // Sites from above to below, as in the table.
  const siteAxis = (shown) => axis("", { autorange: "reversed", showgrid: false, ticks: "",
    tickmode: "array", tickvals: shown.map((_, i) => i), ticktext: shown });
  const tall = (id, count) => { byId(id).style.height = `${count * HEIGHT + 110}px`; };
  // What is shown first: where the largest logit is.
  const telling = (sites) => sites.reduce((a, b) => b.maximum[6] > a.maximum[6] ? b : a).name;

  function drawMaximum() {
    tall("fig-maximum", names.length);
    const ends = data.sites.map((site) => site.maximum), places = names.map((_, i) => i);
    const bar = (from, to, width, name) => ({ type: "bar", orientation: "h", y: places,
      base: ends.map((one) => one[from]), x: ends.map((one) => one[to] - one[from]), width, name,
      marker: { color: COLOURS[0] }, customdata: ends.map((one, i) => [names[i], ...one]),
      hovertemplate: "<b>%{customdata[0]}</b><br>least %{customdata[1]:.3~g}, 1 % "
        + "%{customdata[2]:.3~g}, median %{customdata[4]:.3~g}, 99 % %{customdata[6]:.3~g}, "
        + "largest %{customdata[7]:.3~g}<extra></extra>", showlegend: false });
    const low = Math.min(...ends.map((one) => one[0])), high = Math.max(...ends.map((one) => one[6]));
    const shown = data.ranges.flatMap((range) => [-range, range])
      .filter((range) => range >= Math.min(1.3 * low, -9) && range <= Math.max(1.3 * high, 11));
    Plotly.react("fig-maximum", [bar(1, 5, 0.12, "98 %"), bar(2, 4, 0.62, "half"),
      { mode: "markers", x: ends.flatMap((one) => [one[0], one[6]]),
        y: places.flatMap((place) => [place, place]), hoverinfo: "skip", showlegend: false,
        marker: { color: MARK, size: 6 } },
      { mode: "markers", x: ends.map((one) => one[3]), y: places, hoverinfo: "skip",
        showlegend: false, marker: { color: "#fff", size: 9, symbol: "line-ns-open",
          line: { width: 2, color: "#fff" } } }],
    layout({ barmode: "overlay", margin: { l: 150, r: 20, t: 30, b: 50 }, yaxis: siteAxis(names),
      xaxis: axis("largest logit of a row"),
      shapes: shown.map((range) => ({ type: "line", x0: range, x1: range, y0: 0, y1: 1,
        yref: "paper", line: { color: MARK, width: 1, dash: "dash" }, layer: "below" })),
      annotations: shown.map((range) => ({ x: range, y: 1, yref: "paper", yanchor: "bottom",
        text: String(range).replace("-", "−"), showarrow: false,
        font: { ...FONT, size: 11, color: MARK } })) }), CONFIG);
    const most = data.sites.reduce((a, b) => b.maximum[6] > a.maximum[6] ? b : a);
    const least = data.sites.reduce((a, b) => b.maximum[0] < a.maximum[0] ? b : a);
    byId("maximum-seen").textContent = `Row maxima reach ${number(most.maximum[6])}`
      + ` (${most.name}) and go down to ${number(least.maximum[0])} (${least.name}).`;
  }

  function drawHistogram() {
    const site = siteOf(fill("histogram-site", listed(names)));
    const quantity = byId("histogram-quantity").value;
    const epochs = Object.keys(site.epochs);
    byId("histogram-epoch").parentElement.hidden = epochs.length === 0;
    const epoch = fill("histogram-epoch", [["", "all"], ...listed(epochs)]);
    const found = (epoch ? site.epochs[epoch] : site.whole)[quantity];
    byId("fig-histogram").style.height = "360px";
    if (!found) {
      Plotly.purge("fig-histogram");
      byId("histogram-seen").textContent = "No row has two logits.";
      return;
    }
    const signed = quantity === "element" || quantity === "top";
    const marked = data.ranges.flatMap((range) => signed ? [-range, range] : [])
      .filter((range) => range > found.low && range < found.high);
    Plotly.react("fig-histogram", [{ type: "bar", width: found.step,
      x: found.counts.map((_, i) => found.start + found.step * (i + 0.5)), y: found.counts,
      marker: { color: COLOURS[5], line: { width: 0 } },
      hovertemplate: "%{x:.3~g}: %{y:,.3~s}<extra></extra>" }],
    layout({ bargap: 0, xaxis: axis(data.quantities[quantity]),
      yaxis: axis("count", { type: "log", dtick: 1, exponentformat: "power",
        range: [Math.log10(0.6), Math.log10(2 * Math.max(...found.counts))] }),
      shapes: marked.map((range) => ({ type: "line", x0: range, x1: range, y0: 0, y1: 1,
        yref: "paper", line: { color: MARK, width: 1, dash: "dash" } })) }), CONFIG);
    byId("histogram-seen").textContent = `${site.name}: ${data.quantities[quantity]} from `
      + `${number(found.low)} to ${number(found.high)}, half of them below ${number(found.median)}.`;
  }

  function heat(id, shown, columns, cells, texts, title, percent) {
    tall(id, shown.length);
    const known = cells.flat().filter((value) => value !== null && value !== undefined);
    const top = percent ? 1 : Math.max(...known), low = percent ? 0 : Math.min(...known);
    const few = known.length <= 400;
    Plotly.react(id, [{ type: "heatmap", z: cells, x: columns.map((_, i) => i),
      y: shown.map((_, i) => i), zmin: low, zmax: top, colorscale: "Cividis", xgap: 2, ygap: 2,
      hoverongaps: false, text: texts, hovertemplate: "%{text}<extra></extra>",
      colorbar: { thickness: 14, outlinewidth: 0, ...(percent ? { tickformat: ".0%" } : {}) } }],
    layout({ margin: { l: 150, r: 20, t: 16, b: 54 }, yaxis: siteAxis(shown),
      xaxis: axis(title, { showgrid: false, tickvals: columns.map((_, i) => i),
        ticktext: columns.map(String) }),
      annotations: few ? cells.flatMap((row, i) => row.flatMap((value, j) => value === null
        || value === undefined ? [] : [{ x: j, y: i, showarrow: false, captureevents: false,
          text: percent ? share(value) : number(value), font: { size: 11,
            color: (value - low) / (top - low || 1) > 0.55 ? "#111" : "#fff" } }])) : [] }), CONFIG);
  }

  function drawBeyond() {
    const cells = data.sites.map((site) => site.beyond);
    heat("fig-beyond", names, data.ranges.map((range) => `±${range}`), cells,
      cells.map((row, i) => row.map((value, j) =>
        `${names[i]}: ${share(value)} beyond ±${data.ranges[j]}`)), "range", true);
    const clean = data.ranges.filter((_, j) => cells.every((row) => row[j] === 0));
    byId("beyond-seen").textContent = clean.length
      ? `No row's maximum lies beyond ±${clean[0]}.`
      : `Some rows' maxima lie beyond ±${data.ranges.at(-1)}.`;
  }

  function drawHeads() {
    const place = Number(byId("heads-figure").value);
    const several = data.sites.filter((site) => site.heads.length);
    const shown = several.map((site) => site.name);
    const count = Math.max(...several.map((site) => site.heads.length));
    const heads = [...Array(count).keys()];
    const cells = several.map((site) => heads.map((head) => site.heads[head]?.[place] ?? null));
    heat("fig-heads", shown, heads.map((head) => head + 1), cells, cells.map((row, i) =>
      row.map((value, head) => `${shown[i]}, head ${head + 1}: ${number(value)}`)), "head", false);
    let most = [-Infinity, "", 0];
    cells.forEach((row, i) => row.forEach((value, head) => {
      if (value !== null && value > most[0]) most = [value, shown[i], head + 1];
    }));
    byId("heads-seen").textContent = `The largest is ${number(most[0])}: ${most[1]}, head ${most[2]}.`;
  }

  const LIMITS = [5, 10, 15, 20];
  function drawCourse() {
    const several = data.sites.filter((site) => site.course.length);
    const site = siteOf(fill("course-site", listed(several.map((one) => one.name))));
    const epochs = Object.keys(site.epochs), places = epochs.map((_, i) => i);
    byId("fig-course").style.height = "380px";
    const hover = "%{text}: %{y:.3~g}<extra></extra>";
    Plotly.react("fig-course", [
      ...LIMITS.map((limit, i) => ({ x: places, y: site.course.map((one) => one.within[i]),
        name: `within ±${limit}`, mode: "lines+markers", text: epochs, hovertemplate: hover,
        line: { color: COLOURS[i], width: 2 }, marker: { symbol: SYMBOLS[i], size: 7 } })),
      { x: places, y: site.course.map((one) => one.maximum), name: "largest row maximum",
        yaxis: "y2", mode: "lines+markers", text: epochs, hovertemplate: hover,
        line: { color: INK, width: 1.5, dash: "dot" }, marker: { symbol: "x", size: 7 } }],
    layout({ margin: { l: 70, r: 70, t: 40, b: 60 },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      xaxis: axis("", { tickvals: places, ticktext: epochs }),
      yaxis: axis("share of the rows", { range: [-0.03, 1.03], tickformat: ".0%" }),
      yaxis2: axis("logit", { overlaying: "y", side: "right", showgrid: false,
        rangemode: "tozero", tickmode: "auto" }) }), CONFIG);
    const ends = [site.course[0], site.course.at(-1)];
    byId("course-seen").textContent = `${site.name}: rows within ±10 go from `
      + `${share(ends[0].within[1])} to ${share(ends[1].within[1])}, the largest maximum from `
      + `${number(ends[0].maximum)} to ${number(ends[1].maximum)}.`;
  }

  drawMaximum();
  fill("histogram-site", listed(names), telling(data.sites));
  drawHistogram();
  onChange(["histogram-site", "histogram-quantity", "histogram-epoch"], drawHistogram);
  drawBeyond();
  if (has("fig-heads")) {
    drawHeads();
    onChange(["heads-figure"], drawHeads);
  }
  if (has("fig-course")) {
    const several = data.sites.filter((site) => site.course.length);
    fill("course-site", listed(several.map((one) => one.name)), telling(several));
    drawCourse();
    onChange(["course-site"], drawCourse);
  }
  document.body.dataset.drawn = "yes";
})();
