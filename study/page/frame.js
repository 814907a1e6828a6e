"use strict";
// What the scripts of all report pages share. Every number comes from the data element; nothing is
// fetched.
const Frame = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  // Okabe and Ito's colours: told apart with any kind of colour vision. Symbols differ as well.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star"];
  const INK = "#1b2430", SOFT = "#55606e", GRID = "#e6eaef", MARK = "#d55e00";
  const CONFIG = { displaylogo: false, responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const FONT = { family: getComputedStyle(document.body).fontFamily, size: 13, color: INK };
  const axis = (title, more) => ({ title: { text: title }, gridcolor: GRID, zeroline: false,
    linecolor: "#9aa5b1", showline: true, ticks: "outside", tickcolor: "#9aa5b1",
    automargin: true, ...more });
  const layout = (more) => ({ font: FONT, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    margin: { l: 70, r: 20, t: 16, b: 54 }, hovermode: "closest",
    hoverlabel: { bgcolor: "#fff", bordercolor: "#9aa5b1", font: { ...FONT, size: 12 },
      align: "left" }, ...more });

  const number = (value) => {
    if (value === null || value === undefined) return "–";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    if (size < 1e-4) return value.toExponential(1);
    return String(Number(value.toPrecision(3)));
  };

  // A select's options, [value, text] each; what was chosen stays, where it is still offered.
  function fill(id, options, chosen) {
    const select = byId(id), before = chosen ?? select.value;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    if (options.some(([value]) => value === before)) select.value = before;
    return select.value;
  }
  const named = (names) => names.map((name) => [name, name]);
  const onChange = (ids, draw) => ids.forEach((id) => byId(id).addEventListener("change", draw));
  const log = (type) => (value) => type === "log" ? Math.log10(value) : value;
  const logTicks = (type) => type === "log" ? { dtick: 1, minor: { showgrid: false } } : {};
  const cap = (text) => text[0].toUpperCase() + text.slice(1);
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

  // Buttons with data-copy="ID" copy the text of that element.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => {
      const text = byId(button.dataset.copy).textContent;
      const done = () => { button.textContent = "copied"; };
      const select = () => getSelection().selectAllChildren(byId(button.dataset.copy));
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, select);
      else select();
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }

  // Drawings that depend on the width are made again when it changes.
  function onWidth(draw) {
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      draw();
    });
  }
  // The last thing a page's script does: tests wait for it.
  const drawn = () => { document.body.dataset.drawn = "yes"; };

  return { data, byId, COLOURS, SYMBOLS, INK, SOFT, GRID, MARK, CONFIG, FONT, axis, layout, number,
    fill, named, onChange, log, logTicks, cap, spread, onWidth, drawn };
})();
