import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { troubleOf, type Trouble } from '../api/errors';
import { allConcepts, allModels, readJobs } from '../api/library';
import { rememberPhotos } from '../api/photoMemory';
import { prepare, release, type Photo } from '../api/photos';
import { startTraining } from '../api/start';
import { ConceptKind, TrainingOptionsSchema, TrainingPreset } from '../gen/dti/v1/training_pb';
import { Check, Choice, NumberField, SeedField, Select, Slider, TextField } from '../parts/forms';
import { TroubleNote } from '../parts/notes';
import { PhotoGrid } from '../parts/photoGrid';
import { go } from '../parts/router';

/** What the user has filled in, kept while they look at other pages. */
const draft = signal({
  photos: [] as Photo[],
  name: '',
  initializer: '',
  kind: ConceptKind.OBJECT,
  model: '',
  preset: TrainingPreset.BALANCED,
  obedience: 0.5,
  overwrite: false,
  steps: undefined as number | undefined,
  learningRate: undefined as number | undefined,
  batchSize: undefined as number | undefined,
  numVectors: undefined as number | undefined,
  resolution: undefined as number | undefined,
  seed: undefined as bigint | undefined,
  previewEvery: undefined as number | undefined,
  previewPrompts: '',
  previewBaseline: true,
  centerCrop: false,
  randomFlip: false,
  useAlpha: false,
  stopEarly: false,
});

type Draft = typeof draft.value;

const setting = TrainingOptionsSchema.field;

const goodName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export function TrainPage() {
  const [trouble, setTrouble] = useState<Trouble>();
  const [busy, setBusy] = useState(false);
  const form = draft.value;
  const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
  const model = allModels.value?.find(each => (form.model ? each.name === form.model : each.isDefault));
  const resolution = form.resolution ?? model?.resolution ?? 0;
  const taken = allConcepts.value?.some(concept => concept.name === form.name) ?? false;
  const wrongName = form.name && !goodName.test(form.name) ? 'Use letters, digits, - and _, at most 64 of them, beginning with a letter or a digit.' : undefined;
  const missing = [
    form.photos.length === 0 && 'photos',
    (!form.name || wrongName) && 'a name',
    taken && !form.overwrite && 'another name, or your consent to replace the concept',
  ].filter(Boolean).join(' and ');

  const start = async () => {
    setBusy(true);
    setTrouble(undefined);
    try {
      const photos = await prepare(form.photos);
      const jobId = await startTraining({ name: form.name, overwrite: taken && form.overwrite, photos, options: optionsOf(form) });
      void rememberPhotos(form.photos, photos).then(() => form.photos.forEach(release));
      draft.value = { ...form, photos: [], name: '', overwrite: false };
      void readJobs();
      go('jobs', jobId);
    } catch (reason) {
      setTrouble(troubleOf(reason));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class="split" onSubmit={event => (event.preventDefault(), void start())}>
      <div class="main">
        <PhotoGrid photos={form.photos} onChange={photos => set({ photos })} resolution={resolution} centerCrop={form.centerCrop} />
        <TroubleNote trouble={trouble} />
      </div>
      <div class="side">
        <TextField
          label="Name" value={form.name} onChange={name => set({ name: name.trim() })} placeholder="my-cat" error={wrongName}
          hint={<>Prompts use it as <code>&lt;{goodName.test(form.name) ? form.name : 'my-cat'}&gt;</code>.</>}
        />
        {taken && <Check label="Replace the concept of this name" value={form.overwrite} onChange={overwrite => set({ overwrite })} hint="The present one is kept as an earlier version." />}
        <TextField
          label="What is it?" value={form.initializer} onChange={initializer => set({ initializer })}
          placeholder={form.kind === ConceptKind.STYLE ? 'painting' : 'cat'} hint="A word or two that come close; training starts there."
        />
        <Choice
          label="Learn" value={form.kind} onChange={kind => set({ kind })}
          options={[{ value: ConceptKind.OBJECT, label: 'a subject' }, { value: ConceptKind.STYLE, label: 'a style' }]}
        />
        <Choice
          label="Training time" value={form.preset} onChange={preset => set({ preset })}
          options={[
            { value: TrainingPreset.FAST, label: 'Fast', hint: 'half the steps' },
            { value: TrainingPreset.BALANCED, label: 'Balanced', hint: 'suits the model' },
            { value: TrainingPreset.FAITHFUL, label: 'Faithful', hint: 'twice the steps' },
          ]}
        />
        <Slider
          label="Likeness or obedience" value={form.obedience} min={0} max={1} step={0.05} onChange={obedience => set({ obedience })}
          ends={['Like the photos', 'Follows long prompts']} text={form.obedience.toFixed(2)}
        />
        {(allModels.value?.length ?? 0) > 1 && (
          <Select
            label="Model" value={model?.name ?? ''} onChange={name => set({ model: name })}
            options={allModels.value!.filter(each => !each.problem).map(each => ({ value: each.name, label: each.name }))}
          />
        )}
        <details>
          <summary>More settings</summary>
          <div class="pair">
            <NumberField label="Steps" of={setting.steps} value={form.steps} onChange={steps => set({ steps })} />
            <NumberField label="Photos of a batch" of={setting.batchSize} value={form.batchSize} onChange={batchSize => set({ batchSize })} />
            <NumberField label="Step length η" of={setting.learningRate} value={form.learningRate} onChange={learningRate => set({ learningRate })} />
            <NumberField label="Vectors" of={setting.numVectors} value={form.numVectors} onChange={numVectors => set({ numVectors })} />
            <NumberField label="Resolution" of={setting.resolution} value={form.resolution} placeholder={model && String(model.resolution)} onChange={size => set({ resolution: size })} />
            <SeedField value={form.seed} onChange={seed => set({ seed })} />
            <NumberField label="Preview every … steps" of={setting.previewEvery} value={form.previewEvery} onChange={previewEvery => set({ previewEvery })} />
          </div>
          <TextField
            label="Preview prompts" rows={2} value={form.previewPrompts} onChange={previewPrompts => set({ previewPrompts })}
            placeholder="a photo of {concept} in the snow" hint="One on each line; {concept} stands for the concept."
          />
          <Check label="Preview before the first step too" value={form.previewBaseline} onChange={previewBaseline => set({ previewBaseline })} />
          <Check label="Crop the centre" value={form.centerCrop} onChange={centerCrop => set({ centerCrop })} hint="Otherwise crops are taken at random places." />
          <Check label="Mirror half of the crops" value={form.randomFlip} onChange={randomFlip => set({ randomFlip })} />
          <Check label="Use transparency as the mask" value={form.useAlpha} onChange={useAlpha => set({ useAlpha })} />
          <Check label="Stop when nothing more is learnt" value={form.stopEarly} onChange={stopEarly => set({ stopEarly })} />
        </details>
        <button class="primary" type="submit" disabled={busy || missing !== ''}>{busy ? 'Sending photos…' : 'Train'}</button>
        {missing && <p class="hint">Still needed: {missing}.</p>}
      </div>
    </form>
  );
}

function optionsOf(form: Draft) {
  return {
    kind: form.kind,
    model: form.model || undefined,
    initializer: form.initializer.trim() || undefined,
    preset: form.preset,
    obedience: form.obedience,
    steps: form.steps,
    batchSize: form.batchSize,
    learningRate: form.learningRate,
    numVectors: form.numVectors,
    resolution: form.resolution,
    seed: form.seed,
    previewEvery: form.previewEvery,
    previewPrompts: form.previewPrompts.split('\n').map(line => line.trim()).filter(Boolean),
    previewBaseline: form.previewBaseline,
    centerCrop: form.centerCrop,
    randomFlip: form.randomFlip,
    useAlpha: form.useAlpha,
    stopEarly: form.stopEarly,
  };
}
