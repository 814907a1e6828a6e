"use strict";
// Draws the charts. Every number comes from the data element; nothing is fetched.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  for (const chart of data.charts) {
    const traces = chart.traces.map((trace) => ({ ...trace,
      line: { ...trace.line, color: COLOURS[trace.colour], width: 2 },
      marker: { color: COLOURS[trace.colour] ?? INK, size: 6 },
      hovertemplate: `%{x:,}: %{y:.4g}<extra>${trace.name}</extra>` }));
    Plotly.react(chart.id, traces, layout({ showlegend: chart.traces.filter((one) => one.showlegend).length > 1,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { l: 70, r: 20, t: 40, b: 54 },
      xaxis: axis(chart.x.title, { type: chart.x.type }),
      yaxis: axis(chart.y.title, { type: chart.y.type, rangemode: "tozero" }) }), CONFIG);
  }
  document.body.dataset.drawn = "yes";
})();
