import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { numberOf } from './words';

interface CurveProps {
  title: string;
  unit?: string;
  steps: number[];
  /** The line. */
  values: number[];
  /** A fainter line below it. */
  raw?: number[];
  total: number;
  /** The axis begins at 0: for values that should stay where they are. */
  fromZero?: boolean;
}

const height = 150;
const dark = matchMedia('(prefers-color-scheme: dark)');

/** A value over the steps of a training. */
export function Curve({ title, unit = '', steps, values, raw, total, fromZero = false }: CurveProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const last = values.at(-1);
  const data = (): uPlot.AlignedData => (raw ? [steps, raw, values] : [steps, values]);

  useEffect(() => {
    const box = place.current!;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(box.clientWidth, raw !== undefined, total, fromZero), data(), box);
    };
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height }));
    resized.observe(box);
    dark.addEventListener('change', make);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.destroy();
    };
  }, [total, raw !== undefined]);

  useEffect(() => plot.current?.setData(data()), [steps.length]);

  const spoken = last === undefined ? 'no steps yet' : `from ${numberOf(values[0]!)}${unit} to ${numberOf(last)}${unit} in ${steps.length} steps`;
  return (
    <figure class="curve">
      <figcaption>
        <span>{title}</span>
        <output>{last === undefined ? '–' : numberOf(last) + unit}</output>
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}: ${spoken}`} />
    </figure>
  );
}

function options(width: number, hasRaw: boolean, total: number, fromZero: boolean): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour('--muted'), font: '11px system-ui', grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const line = { stroke: colour('--accent'), width: 2, points: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [0, Math.max(1, total)] }, ...(fromZero && { y: { range: (_: uPlot, __: number, most: number): [number, number] => [0, (most || 1) * 1.3] } }) },
    axes: [{ ...axis, size: 24 }, { ...axis, size: 48, values: (_, ticks) => ticks.map(numberOf) }],
    series: hasRaw ? [{}, { stroke: colour('--faint'), width: 1, points: { show: false } }, line] : [{}, line],
  };
}
