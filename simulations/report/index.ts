/** Pictures and pages, for whoever has numbers to show. */
export type { Band, Chart, Level, Point, Series, Table } from "./chart.js";
export { renderChart } from "./draw.js";
export { type Report, renderComparison, renderReport, type Side } from "./page.js";
