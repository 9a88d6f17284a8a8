import parsePrometheusTextFormat from 'parse-prometheus-text-format';

/** One line of a text, read by somebody else's parser. */
export interface ParsedSample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: string;
}

/** What a text says, each line by itself: the parser puts the series of a histogram together without looking at their labels. */
export function samplesIn(text: string): ParsedSample[] {
  return text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : sampleIn(line)));
}

/** The name, kind and description of each metric, in order. */
export function familiesIn(text: string): { name: string; type: string; help: string }[] {
  return parsePrometheusTextFormat(text).map(({ name, type, help }) => ({ name, type, help }));
}

/** The values of a metric by its labels beside `service`, put together by spaces. */
export function valuesIn(text: string, metric: string): Record<string, number> {
  const mine = samplesIn(text).filter(({ name }) => name === metric);
  return Object.fromEntries(
    mine.map(({ labels: { service, ...labels }, value }) => [
      [service, ...Object.values(labels)].join(' '),
      Number(value),
    ]),
  );
}

function sampleIn(line: string): ParsedSample[] {
  return parsePrometheusTextFormat(`${line}\n`).flatMap(({ name, metrics }) =>
    metrics.map(({ labels = {}, value }) => ({ name, labels, value })),
  );
}
