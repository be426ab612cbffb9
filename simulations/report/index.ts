/** Pictures and pages, for whoever has numbers to show. */
export type {
  Band,
  Box,
  BoxChart,
  BoxSeries,
  Chart,
  HeatMap,
  Level,
  OccupancyChart,
  Panel,
  Picture,
  Point,
  Series,
  Table,
} from "./chart.js";
export { renderChart } from "./draw.js";
export { type Report, renderComparison, renderReport, type Side } from "./page.js";
