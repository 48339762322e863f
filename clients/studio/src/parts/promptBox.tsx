import { useId, useRef, useState } from 'preact/hooks';
import { allConcepts } from '../api/library';

interface PromptBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** A prompt; after `<` it offers the concepts of the library. */
export function PromptBox({ label, value, onChange }: PromptBoxProps) {
  const id = useId();
  const box = useRef<HTMLTextAreaElement>(null);
  const [begun, setBegun] = useState<{ start: number; text: string }>();
  const [chosen, setChosen] = useState(0);
  const names = begun
    ? (allConcepts.value ?? []).map(concept => concept.placeholder.slice(1, -1)).filter(name => name.toLowerCase().startsWith(begun.text.toLowerCase())).slice(0, 8)
    : [];
  const open = names.length > 0;

  const look = () => {
    const { selectionStart, value: text } = box.current!;
    const found = /<([\w-]*)$/.exec(text.slice(0, selectionStart));
    setBegun(found ? { start: found.index, text: found[1]! } : undefined);
    setChosen(0);
  };

  const take = (name: string) => {
    const area = box.current!;
    const rest = area.value.slice(area.selectionStart).replace(/^[\w-]*>?/, '');
    const before = `${area.value.slice(0, begun!.start)}<${name}>`;
    onChange(before + rest);
    setBegun(undefined);
    requestAnimationFrame(() => {
      area.focus();
      area.setSelectionRange(before.length, before.length);
    });
  };

  const press = (event: KeyboardEvent) => {
    if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      setChosen((chosen + (event.key === 'ArrowDown' ? 1 : names.length - 1)) % names.length);
    } else if (open && (event.key === 'Enter' || event.key === 'Tab') && !event.ctrlKey && !event.metaKey) take(names[chosen]!);
    else if (open && event.key === 'Escape') setBegun(undefined);
    else return;
    event.preventDefault();
  };

  return (
    <div class="field prompt">
      <label for={id}>{label}</label>
      <textarea
        id={id} ref={box} rows={3} value={value} spellcheck={false} aria-autocomplete="list" aria-controls={`${id}-list`}
        aria-activedescendant={open ? `${id}-${chosen}` : undefined} aria-describedby={`${id}-hint`}
        onInput={event => (onChange(event.currentTarget.value), look())}
        onKeyDown={press} onClick={look} onBlur={() => setBegun(undefined)}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Concepts" class="completions" hidden={!open}>
        {names.map((name, i) => (
          <li key={name} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onMouseDown={event => (event.preventDefault(), take(name))}>
            &lt;{name}&gt;
          </li>
        ))}
      </ul>
      <p class="spoken" role="status">{open ? `${names[chosen]}, ${chosen + 1} of ${names.length} concepts` : ''}</p>
      <p class="hint" id={`${id}-hint`}>Type &lt; to name a concept. Ctrl+Enter generates.</p>
    </div>
  );
}
