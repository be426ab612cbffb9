/** Text as it may stand in HTML and SVG, whatever it contains. */
export function escaped(text: string): string {
  const safe = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  // What XML may not contain at all.
  return safe.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, (c) => (c === "\n" || c === "\t" ? " " : "\uFFFD"));
}
