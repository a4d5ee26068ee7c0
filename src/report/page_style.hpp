// The style sheet of a report.
#pragma once

namespace mf {

/// Words of headings stay whole, and a table that is wider than its section scrolls inside it, so that the page itself
/// never does. Only texts from data (class text) may break anywhere.
constexpr const char* kPageStyle =
    ":root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --muted: #59636e; --panel: #f4f6f8;\n"
    "  --rule: #d5dae0; --mark: #2563b0; }\n"
    "@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e4e8ec; --muted: #9aa4af;\n"
    "  --panel: #1d2127; --rule: #363d46; --mark: #7ab2f4; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 1500px;\n"
    "  margin: 0 auto; padding: 1.5em max(1em, 2vw) 3em; }\n"
    "h1 { font-size: 1.7em; line-height: 1.2; margin: 0 0 0.2em; overflow-wrap: anywhere; }\n"
    "h2 { font-size: 1.2em; margin: 2em 0 0.6em; }\n"
    "h3 { font-size: 1em; margin: 0 0 0.2em; overflow-wrap: anywhere; }\n"
    "p { margin: 0.4em 0; max-width: 85ch; }\n"
    ".muted { color: var(--muted); }\n"
    "code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }\n"
    ".tiles { display: grid; gap: 0.7em; grid-template-columns: repeat(auto-fit, minmax(8.5em, 1fr)); margin: 1.2em 0 "
    "0; }\n"
    ".tiles div, .card { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;\n"
    "  padding: 0.6em 0.8em; }\n"
    ".tiles div { display: flex; flex-direction: column; justify-content: space-between; }\n"
    ".tiles dt { color: var(--muted); font-size: 0.87em; }\n"
    ".tiles dd { margin: 0; font-size: 1.3em; font-weight: 600; }\n"
    "section { min-width: 0; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 0.3em 0; border-bottom: 1px solid var(--rule); }\n"
    "th { font-weight: 400; color: var(--muted); padding-right: 1em; }\n"
    ".tables table { table-layout: fixed; }\n"
    ".tables th { width: 60%; }\n"
    ".tables .facts th { width: 40%; }\n"
    "td { overflow-wrap: anywhere; }\n"
    ".wide th, .wide td { padding: 0.3em 0.45em; white-space: nowrap; }\n"
    ".wide th { vertical-align: bottom; }\n"
    ".wide :is(th, td):first-child { padding-left: 0; }\n"
    ".wide :is(th, td):last-child { padding-right: 0; }\n"
    ".wide td.text { white-space: normal; min-width: 14em; }\n"
    ".wide .number, .card td + td { text-align: right; }\n"
    ".card td + td { padding-left: 1em; white-space: nowrap; }\n"
    ".card tr:last-child td { border-bottom: 0; }\n"
    ".tables { display: grid; gap: 0 3em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26em), 1fr)); }\n"
    ".plots { display: grid; gap: 0 3em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26em), 1fr)); }\n"
    ".cards { display: grid; gap: 0.7em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11em), 1fr)); }\n"
    "figure { margin: 0.6em 0; max-width: 720px; }\n"
    "figcaption { font-weight: 600; }\n"
    "svg { display: block; width: 100%; font-size: 12px; fill: currentColor; }\n"
    ".bar { fill: var(--mark); }\n"
    ".line { fill: none; stroke: var(--mark); stroke-width: 2; }\n"
    ".rule { stroke: var(--rule); }\n";

}  // namespace mf
