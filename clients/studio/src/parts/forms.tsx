import type { DescField } from '@bufbuild/protobuf';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { settingOf } from './setting';

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string;
  children: (id: string, describedBy: string | undefined) => ComponentChildren;
}

/** A control with its label, what helps to fill it in, and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, described)}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ComponentChildren;
  error?: string;
  placeholder?: string;
  type?: 'text' | 'password';
  rows?: number;
}

export function TextField({ label, value, onChange, hint, error, placeholder, type = 'text', rows }: TextProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(id, describedBy) => {
        const shared = {
          id,
          value,
          placeholder,
          'aria-describedby': describedBy,
          'aria-invalid': error ? true : undefined,
          autocomplete: 'off',
          spellcheck: false,
          onInput: (event: Event) => onChange((event.target as HTMLInputElement).value),
        };
        return rows ? <textarea {...shared} rows={rows} /> : type === 'password' ? <input {...shared} type="password" /> : <input {...shared} type="text" />;
      }}
    </Field>
  );
}

interface NumberProps {
  label: string;
  /** Undefined: the default. */
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  /** The setting's field in the contract, which declares its range and its default. */
  of?: DescField;
  min?: number;
  max?: number;
  placeholder?: string;
}

export function NumberField({ label, value, onChange, of, ...own }: NumberProps) {
  const declared = of && settingOf(of);
  return (
    <Field label={label}>
      {id => (
        <input
          {...declared} {...own} placeholder={own.placeholder ?? declared?.placeholder} id={id} type="number" inputMode="decimal" value={value ?? ''}
          onInput={event => {
            const { value: text, valueAsNumber } = event.currentTarget;
            onChange(text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
          }}
        />
      )}
    </Field>
  );
}

/** A seed: 64 bits, more than a number holds. */
export function SeedField({ value, onChange }: { value: bigint | undefined; onChange: (value: bigint | undefined) => void }) {
  return (
    <Field label="Seed">
      {id => (
        <input
          id={id} inputMode="numeric" placeholder="random" autocomplete="off" value={value === undefined ? '' : String(value)}
          onInput={event => {
            const digits = event.currentTarget.value.replace(/\D/g, '').slice(0, 20);
            event.currentTarget.value = digits;
            onChange(digits ? BigInt(digits) : undefined);
          }}
        />
      )}
    </Field>
  );
}

interface SliderProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
  min: number;
  max: number;
  step: number;
  /** What the ends mean. */
  ends?: [string, string];
  /** The value in words, for screen readers and beside the label. */
  text: string;
  hint?: ComponentChildren;
}

export function Slider({ label, value, onChange, min, max, step, ends, text, hint }: SliderProps) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <div class="slider">
          <output for={id}>{text}</output>
          <input
            id={id} type="range" min={min} max={max} step={step} value={value} aria-valuetext={text} aria-describedby={describedBy}
            onInput={event => onChange(event.currentTarget.valueAsNumber)}
          />
          {ends && <div class="ends" aria-hidden="true"><span>{ends[0]}</span><span>{ends[1]}</span></div>}
        </div>
      )}
    </Field>
  );
}

interface ChoiceProps<T> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: string; hint?: string }[];
}

/** One of a few, all of them in sight. */
export function Choice<T extends string | number>({ label, value, onChange, options }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="field choice">
      <legend>{label}</legend>
      <div class="segments">
        {options.map(option => (
          <label key={option.value} class={option.value === value ? 'chosen' : undefined}>
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>{option.label}</span>
            {option.hint && <small>{option.hint}</small>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SelectProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: string }[];
  hint?: ComponentChildren;
}

export function Select({ label, value, onChange, options, hint }: SelectProps) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <select id={id} aria-describedby={describedBy} value={value} onChange={event => onChange(event.currentTarget.value)}>
          {options.map(option => <option key={option.value} value={option.value} selected={option.value === value}>{option.label}</option>)}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, value, onChange, hint }: { label: string; value: boolean; onChange: (value: boolean) => void; hint?: string }) {
  const id = useId();
  return (
    <div class="check">
      <input id={id} type="checkbox" checked={value} aria-describedby={hint && `${id}-hint`} onChange={event => onChange(event.currentTarget.checked)} />
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
