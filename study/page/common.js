"use strict";
// What the scripts of all report pages share: colours, axes, numbers, choices.
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

function fill(id, options, chosen) {
  const select = byId(id), before = chosen ?? select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === before)) select.value = before;
  return select.value;
}
const onChange = (ids, draw) => ids.forEach((id) => byId(id).addEventListener("change", draw));

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
