import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { dti } from '../api/clients';
import { isCancelled, troubleOf, type Trouble } from '../api/errors';
import { addPictures, gallery, recallPictures, type Shown } from '../api/gallery';
import { allConcepts, allModels, readJobs } from '../api/library';
import { PictureLog } from '../api/pictureLog';
import { runPictures } from '../api/start';
import { GenerationOptionsSchema, type GenerationSettings } from '../gen/dti/v1/generation_pb';
import { Dialog } from '../parts/dialog';
import { NumberField, SeedField, Select, TextField } from '../parts/forms';
import { Empty, Facts, ProgressBar, TroubleNote, Warnings } from '../parts/notes';
import { blobOf, download, endingOf, Image } from '../parts/pictures';
import { PromptBox } from '../parts/promptBox';
import { useRedraw } from '../parts/useFollow';
import { durationOf, numberOf, slugOf } from '../parts/words';

const samplers = ['ddim', 'dpmpp_2m', 'dpmpp_2m_karras', 'euler', 'euler_ancestral', 'euler_karras', 'pndm'];

const setting = GenerationOptionsSchema.field;

const draft = signal({
  prompt: '',
  negativePrompt: '',
  model: '',
  scheduler: '',
  steps: undefined as number | undefined,
  guidanceScale: undefined as number | undefined,
  seed: undefined as bigint | undefined,
  numImages: undefined as number | undefined,
  width: undefined as number | undefined,
  height: undefined as number | undefined,
});

/** The generation that runs, also while another page is shown. */
const running = signal<{ log: PictureLog; stop: AbortController } | undefined>(undefined);
const trouble = signal<Trouble | undefined>(undefined);
const warnings = signal<PictureLog['warnings']>([]);

export function GeneratePage({ prompt }: { prompt?: string }) {
  const redraw = useRedraw();
  const [shown, setShown] = useState<number>();
  useEffect(() => void recallPictures(), []);
  useEffect(() => {
    if (prompt) draft.value = { ...draft.value, prompt };
  }, [prompt]);
  const form = draft.value;
  const set = (change: Partial<typeof form>) => (draft.value = { ...draft.value, ...change });
  const log = running.value?.log;
  const items = gallery.value;
  const example = allConcepts.value?.[0]?.placeholder;

  const start = async () => {
    if (running.value || !form.prompt.trim()) return;
    const stop = new AbortController();
    const log = new PictureLog(() => {
      if (log.accepted && log.pictures.length > 0) addPictures(log);
      redraw();
    });
    running.value = { log, stop };
    trouble.value = undefined;
    try {
      await runPictures(({ accepted }, signal) => dti.generate({
        options: {
          prompt: form.prompt,
          negativePrompt: form.negativePrompt || undefined,
          model: accepted?.settings?.model ?? (form.model || undefined),
          scheduler: form.scheduler || undefined,
          steps: form.steps,
          guidanceScale: form.guidanceScale,
          seed: accepted?.settings?.seed ?? form.seed,
          numImages: form.numImages,
          width: form.width,
          height: form.height,
          previewEvery: Math.max(1, Math.floor((form.steps ?? 30) / 6)),
        },
      }, { signal }), log, stop.signal);
    } catch (reason) {
      if (!isCancelled(reason)) trouble.value = troubleOf(reason);
    } finally {
      running.value = undefined;
      warnings.value = log.warnings;
      void readJobs();
    }
  };

  return (
    <div class="split">
      <form
        class="side" onSubmit={event => (event.preventDefault(), void start())}
        onKeyDown={event => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && (event.preventDefault(), void start())}
      >
        <PromptBox label="Prompt" value={form.prompt} onChange={text => set({ prompt: text })} />
        {!form.prompt && example && <button type="button" class="quiet chip" onClick={() => set({ prompt: `a photo of ${example}` })}>a photo of {example}</button>}
        <div class="pair">
          <NumberField label="Images" of={setting.numImages} value={form.numImages} onChange={numImages => set({ numImages })} />
          <SeedField value={form.seed} onChange={seed => set({ seed })} />
          <NumberField label="Steps" of={setting.steps} value={form.steps} onChange={steps => set({ steps })} />
          <NumberField label="Guidance" of={setting.guidanceScale} value={form.guidanceScale} onChange={guidanceScale => set({ guidanceScale })} />
        </div>
        <details>
          <summary>More settings</summary>
          <TextField label="Negative prompt" rows={2} value={form.negativePrompt} onChange={negativePrompt => set({ negativePrompt })} hint="What to keep away from." />
          <div class="pair">
            <NumberField label="Width" of={setting.width} value={form.width} onChange={width => set({ width })} />
            <NumberField label="Height" of={setting.height} value={form.height} onChange={height => set({ height })} />
          </div>
          <Select label="Sampler" value={form.scheduler} onChange={scheduler => set({ scheduler })} options={[{ value: '', label: 'the model’s own' }, ...samplers.map(name => ({ value: name, label: name }))]} />
          <Select
            label="Model" value={form.model} onChange={model => set({ model })}
            options={[{ value: '', label: 'the server’s default' }, ...(allModels.value ?? []).filter(each => !each.problem).map(each => ({ value: each.name, label: each.name }))]}
          />
        </details>
        {running.value
          ? <button type="button" class="primary" onClick={() => running.value?.stop.abort()}>Cancel</button>
          : <button class="primary" type="submit" disabled={!form.prompt.trim()}>Generate</button>}
      </form>
      <div class="main">
        <TroubleNote trouble={trouble.value} />
        <Warnings warnings={log?.warnings ?? warnings.value} />
        <p class="spoken" role="status">{log ? 'Generating images.' : items.length > 0 ? `The gallery has ${items.length} images.` : ''}</p>
        {items.length === 0 && !log
          ? <Empty title="Images appear here"><p>Each keeps its settings, so that it can be generated again.</p></Empty>
          : (
            <ul class="gallery">
              {log && <li class="coming"><Coming log={log} /></li>}
              {items.map((item, i) => (
                <li key={`${item.jobId}/${item.picture.index}`}>
                  <button class="tile" onClick={() => setShown(i)} aria-label={`${item.picture.prompt}: larger, with its settings`}>
                    <Image picture={item.picture} alt={item.picture.prompt} />
                  </button>
                  <p class="prompt-line">{item.picture.prompt}</p>
                </li>
              ))}
            </ul>
          )}
      </div>
      {shown !== undefined && items[shown] && (
        <Viewer
          item={items[shown]} onClose={() => setShown(undefined)}
          onMove={by => setShown((shown + by + items.length) % items.length)}
          onReuse={settings => (set(reused(settings)), setShown(undefined))}
        />
      )}
    </div>
  );
}

function Coming({ log }: { log: PictureLog }) {
  const { progress, queued, preview } = log;
  return (
    <>
      <div class="tile waiting">{preview && <Image picture={preview} alt="The image so far" pixelated />}</div>
      <ProgressBar label="Sampling steps" value={progress?.step ?? 0} max={progress?.totalSteps ?? 1} />
      <p class="prompt-line">
        {progress ? `Step ${progress.step} of ${progress.totalSteps}${progress.timeLeft ? ` · ${durationOf(progress.timeLeft)} left` : ''}`
          : queued && queued.position > 0 ? `Queued behind ${queued.position}` : 'Starting…'}
      </p>
    </>
  );
}

interface ViewerProps {
  item: Shown;
  onClose: () => void;
  onMove: (by: number) => void;
  onReuse: (settings: GenerationSettings) => void;
}

function Viewer({ item, onClose, onMove, onReuse }: ViewerProps) {
  const { picture, settings } = item;
  return (
    <Dialog title="Image" onClose={onClose} wide>
      <div
        class="viewer"
        onKeyDown={event => event.key === 'ArrowRight' ? onMove(1) : event.key === 'ArrowLeft' ? onMove(-1) : undefined}
      >
        <div class="large"><Image picture={picture} alt={picture.prompt} /></div>
        <div>
          <p>{picture.prompt}</p>
          <Facts
            facts={[
              ['Negative prompt', settings.negativePrompt],
              ['Seed', `${settings.seed}${settings.numImages > 1 ? `, image ${picture.index + 1} of ${settings.numImages}` : ''}`],
              ['Steps', settings.steps],
              ['Guidance', numberOf(settings.guidanceScale)],
              ['Sampler', settings.scheduler],
              ['Size', `${picture.width} × ${picture.height}`],
              ['Concepts', settings.concepts.join(', ')],
              ['Model', settings.model],
              ['Autoencoder', settings.vae],
              ['Clip skip', settings.clipSkip > 1 ? settings.clipSkip : undefined],
              ['Computed', `${settings.dtype} on ${settings.device}`],
            ]}
          />
          <div class="actions">
            <button
              class="primary"
              onClick={() => download(blobOf(picture.data, picture.mediaType), `${slugOf(picture.prompt)}-${picture.seed}${settings.numImages > 1 ? `-${picture.index}` : ''}.${endingOf(picture.mediaType)}`)}
            >
              Download
            </button>
            <button onClick={() => onReuse(settings)}>Use these settings</button>
            <button onClick={() => onMove(-1)}>Previous</button>
            <button onClick={() => onMove(1)}>Next</button>
          </div>
        </div>
      </div>
    </Dialog>
  );
}

const reused = (settings: GenerationSettings) => ({
  prompt: settings.prompt,
  negativePrompt: settings.negativePrompt,
  model: settings.model,
  scheduler: settings.scheduler,
  steps: settings.steps,
  guidanceScale: settings.guidanceScale,
  seed: settings.seed,
  numImages: settings.numImages,
  width: settings.width,
  height: settings.height,
});
