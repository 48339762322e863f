import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { dti } from '../api/clients';
import { isCancelled, troubleOf, type Trouble } from '../api/errors';
import { animate, formats, type Format } from '../api/animation';
import { allConcepts, readJobs } from '../api/library';
import { PictureLog } from '../api/pictureLog';
import { runPictures } from '../api/start';
import { Easing, GenerationOptionsSchema, type InterpolateAccepted } from '../gen/dti/v1/generation_pb';
import { Choice, NumberField, SeedField, Select, Slider, TextField } from '../parts/forms';
import { Empty, ProgressBar, TroubleNote, Warnings } from '../parts/notes';
import { blobOf, download, endingOf, Image } from '../parts/pictures';
import { linkTo } from '../parts/router';
import { useRedraw } from '../parts/useFollow';
import { durationOf, numberOf } from '../parts/words';

const setting = GenerationOptionsSchema.field;

const draft = signal({
  from: '',
  to: '',
  prompt: '',
  frames: undefined as number | undefined,
  easing: Easing.LINEAR,
  steps: undefined as number | undefined,
  guidanceScale: undefined as number | undefined,
  seed: undefined as bigint | undefined,
});

const running = signal<AbortController | undefined>(undefined);
const shown = signal<PictureLog | undefined>(undefined);
const trouble = signal<Trouble | undefined>(undefined);

export function BlendPage() {
  const redraw = useRedraw();
  const names = allConcepts.value?.map(concept => concept.name) ?? [];
  if (!allConcepts.value) return null;
  if (names.length < 2) {
    return (
      <Empty title="Two concepts can be blended">
        <p>The library has {names.length === 1 ? 'one concept' : 'none'} so far. <a href={linkTo('train')}>Train a concept</a> first.</p>
      </Empty>
    );
  }

  const form = { ...draft.value, from: draft.value.from || names[0]!, to: draft.value.to || names[1]! };
  const set = (change: Partial<typeof form>) => (draft.value = { ...form, ...change });
  const options = names.map(name => ({ value: name, label: name }));
  const log = shown.value;

  const start = async () => {
    const stop = new AbortController();
    const log = new PictureLog(redraw);
    [running.value, shown.value, trouble.value] = [stop, log, undefined];
    try {
      await runPictures(({ accepted }, signal) => dti.interpolate({
        fromConcept: form.from,
        toConcept: form.to,
        prompt: form.prompt.trim() || undefined,
        frames: form.frames,
        easing: form.easing,
        options: {
          steps: form.steps,
          guidanceScale: form.guidanceScale,
          model: accepted?.settings?.model,
          seed: accepted?.settings?.seed ?? form.seed,
        },
      }, { signal }), log, stop.signal);
    } catch (reason) {
      if (!isCancelled(reason)) trouble.value = troubleOf(reason);
    } finally {
      running.value = undefined;
      void readJobs();
    }
  };

  return (
    <div class="split">
      <form class="side" onSubmit={event => (event.preventDefault(), void start())}>
        <Select label="From" value={form.from} options={options} onChange={from => set({ from })} />
        <Select label="To" value={form.to} options={options} onChange={to => set({ to })} />
        <TextField
          label="Prompt" rows={2} value={form.prompt} placeholder="a photo of {concept}" onChange={prompt => set({ prompt })}
          hint="{concept} stands for the blend."
        />
        <div class="pair">
          <NumberField label="Images" value={form.frames} min={2} max={256} placeholder="8" onChange={frames => set({ frames })} />
          <SeedField value={form.seed} onChange={seed => set({ seed })} />
          <NumberField label="Steps" of={setting.steps} value={form.steps} onChange={steps => set({ steps })} />
          <NumberField label="Guidance" of={setting.guidanceScale} value={form.guidanceScale} onChange={guidanceScale => set({ guidanceScale })} />
        </div>
        <Choice
          label="Pace" value={form.easing} onChange={easing => set({ easing })}
          options={[{ value: Easing.LINEAR, label: 'even' }, { value: Easing.SMOOTH, label: 'slow at both ends' }]}
        />
        {running.value
          ? <button type="button" class="primary" onClick={() => running.value?.abort()}>Cancel</button>
          : <button class="primary" type="submit" disabled={form.from === form.to}>Blend</button>}
        {form.from === form.to && <p class="hint">Choose two different concepts.</p>}
      </form>
      <div class="main">
        <TroubleNote trouble={trouble.value} />
        {log ? <Blended log={log} /> : <Empty title="The way between two concepts"><p>All images start from the same noise. Only the concept changes, along the great circle between the two.</p></Empty>}
      </div>
    </div>
  );
}

function Blended({ log }: { log: PictureLog }) {
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [made, setMade] = useState<number>();
  const { pictures, progress } = log;
  const accepted = log.accepted as InterpolateAccepted | undefined;
  const current = pictures[Math.min(at, pictures.length - 1)];
  const name = accepted ? `${accepted.fromConcept}-to-${accepted.toConcept}` : 'blend';

  useEffect(() => {
    if (!playing || pictures.length < 2) return undefined;
    let direction = 1;
    const timer = setInterval(() => setAt(now => {
      if (now + direction < 0 || now + direction >= pictures.length) direction = -direction;
      return now + direction;
    }), 160);
    return () => clearInterval(timer);
  }, [playing, pictures.length]);

  const save = async (format: Format) => {
    setMade(0);
    try {
      download(await animate(pictures, format, 160, setMade), `${name}.${format}`);
    } catch (reason) {
      trouble.value = { title: 'The animation could not be written', message: String((reason as Error).message) };
    } finally {
      setMade(undefined);
    }
  };

  return (
    <>
      <Warnings warnings={log.warnings} />
      {!log.finished && running.value && (
        <section class="panel" aria-label="Progress">
          <p>
            <strong>{progress ? `Image ${Math.min(pictures.length + 1, accepted?.frames ?? 1)} of ${accepted?.frames ?? '…'}` : log.queued?.position ? `Queued behind ${log.queued.position}` : 'Starting…'}</strong>
            {progress?.timeLeft && ` · ${durationOf(progress.timeLeft)} left`}
          </p>
          <ProgressBar label="Sampling steps" value={progress?.step ?? 0} max={progress?.totalSteps ?? 1} />
        </section>
      )}
      <p class="spoken" role="status">{log.finished ? `All ${pictures.length} images of the blend are there.` : ''}</p>
      {current && (
        <section class="blend" aria-label="Blend">
          <div class="large"><Image picture={current} alt={`${current.prompt}, ${Math.round((current.t ?? 0) * 100)} % of the way`} /></div>
          <Slider
            label="Position" value={Math.min(at, pictures.length - 1)} min={0} max={Math.max(1, pictures.length - 1)} step={1}
            onChange={value => (setPlaying(false), setAt(value))}
            ends={accepted ? [accepted.fromConcept, accepted.toConcept] : undefined} text={`${Math.round((current.t ?? 0) * 100)} %`}
          />
          <ul class="strip">
            {pictures.map((picture, i) => (
              <li key={picture.index}>
                <button class="tile" aria-pressed={i === at} aria-label={`Image at ${Math.round((picture.t ?? 0) * 100)} %`} onClick={() => (setPlaying(false), setAt(i))}>
                  <Image picture={picture} alt="" />
                </button>
              </li>
            ))}
          </ul>
          <div class="actions">
            <button onClick={() => setPlaying(!playing)} aria-pressed={playing}>{playing ? 'Pause' : 'Play'}</button>
            {formats.map(format => (
              <button key={format} onClick={() => void save(format)} disabled={made !== undefined || pictures.length < 2}>
                Download {format.toUpperCase().replace('WEBP', 'WebP')}
              </button>
            ))}
            {made !== undefined && <span class="hint">Writing {Math.round(made * 100)} %</span>}
            <button onClick={() => download(blobOf(current.data, current.mediaType), `${name}-${Math.round((current.t ?? 0) * 100)}.${endingOf(current.mediaType)}`)}>Download this image</button>
          </div>
          {accepted && (
            <p class="hint">
              Seed {String(accepted.settings?.seed)}. Angle between the directions: {accepted.anglesDegrees.map(angle => `${numberOf(angle)}°`).join(', ')}.
            </p>
          )}
        </section>
      )}
    </>
  );
}
