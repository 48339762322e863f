import type { ComponentChildren } from 'preact';
import type { Warning } from '../gen/dti/v1/common_pb';
import type { Trouble } from '../api/errors';

export function TroubleNote({ trouble }: { trouble: Trouble | undefined }) {
  return (
    <div role="alert">
      {trouble && (
        <div class="note bad">
          <strong>{trouble.title}</strong>
          <p>{trouble.message}</p>
        </div>
      )}
    </div>
  );
}

export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  return (
    <div role="status">
      {warnings.length > 0 && (
        <div class="note warn">
          <strong>{warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`}</strong>
          <ul>{warnings.map(warning => <li key={warning.message}>{warning.message}</li>)}</ul>
        </div>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A list of settings, name and value. */
export function Facts({ facts }: { facts: readonly (readonly [string, string | number | undefined])[] }) {
  return (
    <dl class="facts">
      {facts.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function ProgressBar({ value, max, label }: { value: number; max: number; label: string }) {
  return <progress value={value} max={Math.max(1, max)} aria-label={label} />;
}
