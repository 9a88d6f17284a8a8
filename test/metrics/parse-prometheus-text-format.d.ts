declare module 'parse-prometheus-text-format' {
  interface Sample {
    labels?: Readonly<Record<string, string>>;
    value: string;
  }

  interface Family {
    name: string;
    help: string;
    type: string;
    metrics: readonly Sample[];
  }

  export default function parsePrometheusTextFormat(text: string): Family[];
}
