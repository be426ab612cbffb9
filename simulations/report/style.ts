/**
 * How reports look. Colours are those of Okabe and Ito (2008), told apart with every common kind of colour blindness, darkened
 * for white paper and lightened for dark screens where they would lack contrast; lines also differ in their dashes, so that a
 * print in grey can be read. Paper is always light.
 */
const LIGHT = `--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--grid:#e3e6ea;--band:#0000000a;--edge:#d0d7de;
--q0:#fde38a;--q1:#f8c25c;--q2:#f19a45;--q3:#e2713f;--q4:#c74a4d;--q5:#9c2f64;--q6:#681f68;--q7:#35134d;
--s0:#0072b2;--s1:#d55e00;--s2:#00825f;--s3:#b3568b;--s4:#a87400;--s5:#2f8fc4;--s6:#5b5b5b;--s7:#7a3b00;--good:#00704f;--bad:#b23c00`;
const DARK = `--paper:#14171b;--ink:#e8eaed;--quiet:#a2abb5;--grid:#2c3138;--band:#ffffff0d;--edge:#3a4048;
--q0:#3b2f63;--q1:#5a3a86;--q2:#86429a;--q3:#b54d96;--q4:#dc6180;--q5:#f38367;--q6:#fbb15c;--q7:#fde68f;
--s0:#5db5ee;--s1:#ff9356;--s2:#3fd1a6;--s3:#ea9dc9;--s4:#f0c050;--s5:#a5d8f7;--s6:#c3c8ce;--s7:#d9a577;--good:#4cd3a5;--bad:#ff9c66`;

/** Colours there are; series beyond them begin anew, with other dashes. */
export const COLOURS = 8;
/** Dash patterns by series, in units of the drawing. The first lines of a chart are the ones most looked at: they are solid. */
export const DASHES = ["", "", "", "7 3", "2 3", "9 3 2 3", "5 2", "1 2"];
/** Of what another line is compared with. */
export const LIKE_DASH = "1 5";
/** Steps of a size shown as colour. */
export const SIZES = 8;

const PICTURE = `
svg text{font:12px/1.2 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--quiet)}
svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--edge);stroke-width:1}
svg .band{fill:var(--band)}svg .edge{stroke:var(--edge);stroke-dasharray:3 3}svg .band-name{font-size:11px}
svg .level{stroke:var(--ink);stroke-width:1;stroke-dasharray:4 3;opacity:.7}svg .level-name{fill:var(--ink);font-size:11px}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}svg .lead{stroke-width:1;opacity:.55;fill:none}
svg .box{fill:var(--paper);stroke-width:1.5}svg .mid{stroke-width:2.5}svg .hollow{fill:var(--paper);stroke-width:1.5}svg .mark{stroke:var(--ink);stroke-width:1.5;fill:none}
svg .name{font-weight:600}svg .cell{fill:var(--ink);font-size:11px}svg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
${Array.from({ length: COLOURS }, (_, i) => `svg .c${i}{stroke:var(--s${i})}svg .f${i}{fill:var(--s${i})}`).join("")}
${Array.from({ length: SIZES }, (_, i) => `svg .q${i}{fill:var(--q${i})}`).join("")}`;

/** Styles of a picture that stands alone; it brings its paper along, for the page around may be darker or lighter. */
export const PICTURE_STYLE = `svg{${LIGHT};background:var(--paper)}@media screen and (prefers-color-scheme:dark){svg{${DARK}}}${PICTURE}`;

/** Styles of a page. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;${LIGHT}}@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
@page{margin:14mm}
*{box-sizing:border-box}
body{margin:0 auto;max-width:920px;padding:32px 20px 48px;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:26px;line-height:1.25;margin:0 0 16px}h2{font-size:18px;line-height:1.3;margin:0 0 2px}
.summary{margin:0 0 28px;padding:14px 18px;border-left:4px solid var(--s0);background:var(--band)}
.summary p{margin:0}.summary p+p{margin-top:8px}
figure,section{margin:0 0 34px;break-inside:avoid}figcaption p,section>p{margin:0 0 6px;color:var(--quiet);font-size:14px}
.picture{overflow-x:auto}.picture svg{display:block;width:100%;min-width:560px;height:auto}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:24px}body:has(.sides){max-width:1800px}
.sides>div>p{margin:0 0 4px;font-weight:600}@media(max-width:1100px){.sides{grid-template-columns:1fr}}
.rows{overflow-x:auto}table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:5px 10px;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top}th{color:var(--quiet);font-weight:600}
.number{text-align:right}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}.good,.bad{white-space:nowrap}
@media print{body{max-width:none;padding:0;font-size:11pt}.picture svg{min-width:0}}
${PICTURE}`;
