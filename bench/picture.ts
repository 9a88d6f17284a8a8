/** A picture of results, for light and dark pages. */
export interface Picture {
  width: number;
  height: number;
  /** What it shows, for those who do not see it. */
  label: string;
  title: string;
  /** How it is to be read. */
  legend: string;
  /** The elements below that. Classes: `soft` for lesser text, `grid` for lines, `own` and `bar` for bars of ours and of others, `curve` and `c0` to `c4` for lines. */
  content: string;
}

export function svgOf({ width, height, label, title, legend, content }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
<style>
  svg { background: #fff; font: 13px system-ui, sans-serif }
  text { fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .soft { fill: #57606a; font-size: 12px }
  .grid { stroke: #d0d7de }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  .curve { fill: none; stroke-width: 2 }
  .c0 { stroke: #57606a }
  .c1 { stroke: #0969da }
  .c2 { stroke: #54aeff }
  .c3 { stroke: #bc4c00 }
  .c4 { stroke: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 }
    .soft { fill: #8d96a0 }
    .grid { stroke: #30363d }
    .bar { fill: #6e7681 }
    .own { fill: #58a6ff }
    .c0 { stroke: #c9d1d9 }
    .c1 { stroke: #388bfd }
    .c2 { stroke: #a5d6ff }
    .c3 { stroke: #f0883e }
    .c4 { stroke: #3fb950 }
  }
</style>
<text class="title" x="16" y="28">${title}</text>
<text class="soft" x="16" y="48">${legend}</text>
${content}
</svg>
`;
}

/** The class of a candidate's bars. */
export function kindOf(name: string): 'own' | 'bar' {
  return name.startsWith('holdfast') ? 'own' : 'bar';
}
