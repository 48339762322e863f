import { useEffect, useMemo, useState } from 'preact/hooks';
import { concepts, dti } from '../api/clients';
import { details, keyOf, readDetails } from '../api/details';
import { isCancelled, isTaken, troubleOf, type Trouble } from '../api/errors';
import { about, allConcepts, readConcepts } from '../api/library';
import { recallPhotos } from '../api/photoMemory';
import { PictureLog } from '../api/pictureLog';
import { runPictures } from '../api/start';
import type { Picture } from '../gen/dti/v1/common_pb';
import { ConceptFormat, type Concept, type ConceptServiceInspectResponse } from '../gen/dti/v1/concept_service_pb';
import { GenerationOptionsSchema } from '../gen/dti/v1/generation_pb';
import { ConceptKind } from '../gen/dti/v1/training_pb';
import { Dialog } from '../parts/dialog';
import { Check, NumberField, SeedField, TextField } from '../parts/forms';
import { Empty, Facts, ProgressBar, TroubleNote } from '../parts/notes';
import { blobOf, download, Image } from '../parts/pictures';
import { go, linkTo } from '../parts/router';
import { momentOf, numberOf, plural } from '../parts/words';
import { TrainingFacts } from './training';

export function ConceptsPage() {
  useEffect(() => void readConcepts(), []);
  const all = allConcepts.value;
  if (!all) return null;
  return (
    <>
      {all.length === 0 && (
        <Empty title="The library is empty">
          <p>A concept is what the model has learnt from your photos. <a href={linkTo('train')}>Train the first one</a>, or import a file below.</p>
        </Empty>
      )}
      <ul class="gallery">
        {all.map(concept => <li key={keyOf(concept)}><ConceptCard concept={concept} /></li>)}
      </ul>
      <ImportForm />
    </>
  );
}

function ConceptCard({ concept }: { concept: Concept }) {
  useEffect(() => readDetails(concept), [keyOf(concept)]);
  const found = details.value.get(keyOf(concept));
  return (
    <a class="card" href={linkTo('concepts', concept.name)}>
      <Thumbnail concept={found} />
      <strong>&lt;{concept.name}&gt;</strong>
      <span class="hint">{[concept.settings?.initializer, concept.family, momentOf(concept.created)].filter(Boolean).join(' · ')}</span>
    </a>
  );
}

function Thumbnail({ concept }: { concept: Concept | undefined }) {
  const url = useMemo(() => (concept?.thumbnailPng.length ? URL.createObjectURL(blobOf(concept.thumbnailPng, 'image/png')) : undefined), [concept]);
  return <div class="tile">{url && <img src={url} alt="" />}</div>;
}

function ImportForm() {
  const [file, setFile] = useState<File>();
  const [name, setName] = useState('');
  const [rescale, setRescale] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const run = async () => {
    try {
      await concepts.import({ name, data: new Uint8Array(await file!.arrayBuffer()), rescale });
      await readConcepts();
      go('concepts', name);
    } catch (reason) {
      setTrouble(troubleOf(reason));
    }
  };
  return (
    <details>
      <summary>Import an embedding</summary>
      <form class="narrow" onSubmit={event => (event.preventDefault(), void run())}>
        <div class="field">
          <label for="import-file">Safetensors file</label>
          <input
            id="import-file" type="file" accept=".safetensors"
            onChange={event => {
              const chosen = event.currentTarget.files?.[0];
              setFile(chosen);
              if (chosen && !name) setName(chosen.name.replace(/\.safetensors$/i, '').replace(/[^A-Za-z0-9_-]+/g, '-'));
            }}
          />
          <p class="hint">Of diffusers, A1111, ComfyUI, kohya’s scripts, OneTrainer, InvokeAI or Dti.</p>
        </div>
        <TextField label="Name" value={name} onChange={setName} />
        <Check label="Set each vector to the mean norm of the vocabulary" value={rescale} onChange={setRescale} hint="An embedding that has grown too long follows prompts better then." />
        <button type="submit" disabled={!file || !name}>Import</button>
        <TroubleNote trouble={trouble} />
      </form>
    </details>
  );
}

export function ConceptPage({ name }: { name: string }) {
  const [concept, setConcept] = useState<Concept>();
  const [inspected, setInspected] = useState<ConceptServiceInspectResponse>();
  const [trouble, setTrouble] = useState<Trouble>();
  const listed = allConcepts.value?.find(each => each.name === name);
  const version = listed && keyOf(listed);
  useEffect(() => {
    setTrouble(undefined);
    concepts.get({ name }).then(response => setConcept(response.concept), reason => setTrouble(troubleOf(reason)));
    concepts.inspect({ name }).then(setInspected, () => setInspected(undefined)); // a concept whose model is missing has no inspection
  }, [name, version]);
  if (!concept) return <TroubleNote trouble={trouble} />;
  return (
    <>
      <TroubleNote trouble={trouble} />
      <div class="split even">
        <div class="main">
          <TrainedOn concept={concept} />
          <Export concept={concept} />
        </div>
        <div class="main">{inspected && <Inspection inspected={inspected} />}</div>
      </div>
      <WithAndWithout concept={concept} initializer={inspected?.initializer || concept.settings?.initializer || ''} />
      <Summary concept={concept} />
      <Manage concept={concept} />
    </>
  );
}

function TrainedOn({ concept }: { concept: Concept }) {
  const [photos, setPhotos] = useState<string[]>([]);
  useEffect(() => {
    let urls: string[] = [];
    let left = false;
    void recallPhotos(concept.photoSha256).then(found => {
      if (!left) setPhotos(urls = found.map(blob => URL.createObjectURL(blob)));
    });
    return () => {
      left = true;
      urls.forEach(url => URL.revokeObjectURL(url));
    };
  }, [concept]);
  return (
    <section class="panel" aria-labelledby="photos">
      <h2 id="photos">Photos</h2>
      {photos.length > 0
        ? <ul class="strip wrap">{photos.map((url, i) => <li key={url}><div class="tile"><img src={url} alt={`Photo ${i + 1}`} /></div></li>)}</ul>
        : <div class="known"><Thumbnail concept={concept} /></div>}
      <p class="hint">
        {concept.photoSha256.length > 0 ? `Learnt from ${plural(concept.photoSha256.length, 'photo')}` : 'Imported from a file'}
        {concept.created && `, ${momentOf(concept.created)}`}.
        {photos.length === 0 && concept.photoSha256.length > 0 && ' The server keeps the photos to itself; this browser shows those of its own trainings.'}
      </p>
      <div class="actions">
        <a class="button primary" href={linkTo('generate', `a photo of ${concept.placeholder}`)}>Generate with it</a>
      </div>
    </section>
  );
}

function Inspection({ inspected }: { inspected: ConceptServiceInspectResponse }) {
  return (
    <section class="panel" aria-labelledby="nearest">
      <h2 id="nearest">What it has become</h2>
      {inspected.vectors.map((vector, i) => (
        <div key={i} class="vector">
          {inspected.vectors.length > 1 && <h3>Vector {i + 1}{vector.encoder > 0 && ', second text encoder'}</h3>}
          <ol class="nearest" aria-label={`Nearest words of vector ${i + 1}`}>
            {vector.nearest.map(near => (
              <li key={near.token}>
                <span>{near.token.replace('</w>', '')}</span>
                <meter min={0} max={1} value={Math.max(0, near.cosine)} aria-label={`Cosine with ${near.token.replace('</w>', '')}`}>{numberOf(near.cosine)}</meter>
                <output>{near.cosine.toFixed(2)}</output>
              </li>
            ))}
          </ol>
          <Facts
            facts={[
              ['Angle from the start', vector.angleDegrees === undefined ? undefined : `${numberOf(vector.angleDegrees)}°`],
              ['Norm', `${numberOf(vector.norm)} (words: ${numberOf(inspected.vocabularyNormMean)})`],
              ['Position readability', `${vector.positionReadability.toFixed(2)} (words: ${inspected.vocabularyPositionReadability.toFixed(2)})`],
            ]}
          />
        </div>
      ))}
      <p class="hint">
        Position readability says how well the text encoder still sees where in the prompt the concept stands. It falls as the norm
        grows. Near the value of words, prompts are followed as with words.
      </p>
    </section>
  );
}

function Export({ concept }: { concept: Concept }) {
  const [trouble, setTrouble] = useState<Trouble>();
  const [installed, setInstalled] = useState('');
  const [exists, setExists] = useState(false);
  const mayInstall = about.value?.scopes.includes('admin') ?? false;

  const save = async (format: ConceptFormat) => {
    try {
      const { data, fileName } = await concepts.export({ name: concept.name, format });
      setTrouble(undefined);
      download(blobOf(data, 'application/octet-stream'), fileName);
    } catch (reason) {
      setTrouble(troubleOf(reason));
    }
  };

  const install = async (overwrite: boolean) => {
    try {
      setInstalled((await concepts.install({ name: concept.name, overwrite })).path);
      setTrouble(undefined);
      setExists(false);
    } catch (reason) {
      setExists(isTaken(reason));
      setTrouble(troubleOf(reason));
    }
  };

  return (
    <section class="panel" aria-labelledby="export">
      <h2 id="export">Use it elsewhere</h2>
      <div class="actions">
        <button onClick={() => void save(ConceptFormat.WEBUI)}>A1111 and ComfyUI file</button>
        <button onClick={() => void save(ConceptFormat.DIFFUSERS)}>diffusers file</button>
        {mayInstall && <button onClick={() => void install(exists)}>{exists ? 'Replace it in ComfyUI' : 'Put it into ComfyUI'}</button>}
      </div>
      <div role="status">{installed && <p class="note good">It is in ComfyUI: <code>{installed}</code>. Prompts use it as <code>embedding:{concept.name}</code>.</p>}</div>
      <TroubleNote trouble={trouble} />
    </section>
  );
}

interface Pair {
  prompt: string;
  with?: Picture;
  without?: Picture;
}

/** The same prompts from the same noise, with the concept and with the word that it started from. */
function WithAndWithout({ concept, initializer }: { concept: Concept; initializer: string }) {
  const [prompts, setPrompts] = useState(examplesFor(concept).join('\n'));
  const [steps, setSteps] = useState<number | undefined>(20);
  const [seed, setSeed] = useState<bigint | undefined>(1n);
  const [pairs, setPairs] = useState<Pair[]>([]);
  const [stop, setStop] = useState<AbortController>();
  const [trouble, setTrouble] = useState<Trouble>();
  const word = initializer || 'object';

  const run = async () => {
    const control = new AbortController();
    const made: Pair[] = prompts.split('\n').map(line => line.trim()).filter(Boolean).map(prompt => ({ prompt }));
    const draw = async (prompt: string): Promise<Picture | undefined> => {
      const log = new PictureLog(() => {});
      await runPictures(({ accepted }, signal) => dti.generate({ options: { prompt, steps, seed: accepted?.settings?.seed ?? seed } }, { signal }), log, control.signal);
      return log.pictures[0];
    };
    setStop(control);
    setTrouble(undefined);
    setPairs([...made]);
    try {
      for (const pair of made) {
        pair.with = await draw(pair.prompt.replaceAll('{concept}', concept.placeholder));
        setPairs([...made]);
        pair.without = await draw(pair.prompt.replaceAll('{concept}', word));
        setPairs([...made]);
      }
    } catch (reason) {
      if (!isCancelled(reason)) setTrouble(troubleOf(reason));
    } finally {
      setStop(undefined);
    }
  };

  const done = pairs.reduce((count, pair) => count + (pair.with ? 1 : 0) + (pair.without ? 1 : 0), 0);
  return (
    <section class="panel" aria-labelledby="compare">
      <h2 id="compare">With and without it</h2>
      <p class="hint">The same prompts from the same noise: once with the concept, once with the word “{word}” in its place.</p>
      <form onSubmit={event => (event.preventDefault(), void run())}>
        <TextField label="Prompts, one on each line" rows={3} value={prompts} onChange={setPrompts} />
        <div class="row">
          <NumberField label="Steps" of={GenerationOptionsSchema.field.steps} value={steps} onChange={setSteps} />
          <SeedField value={seed} onChange={setSeed} />
          {stop ? <button type="button" onClick={() => stop.abort()}>Cancel</button> : <button type="submit">Compare</button>}
        </div>
      </form>
      <TroubleNote trouble={trouble} />
      {stop && <ProgressBar label="Images of the comparison" value={done} max={2 * pairs.length} />}
      {pairs.length > 0 && (
        <table class="compare">
          <thead><tr><th scope="col">Prompt</th><th scope="col">With {concept.placeholder}</th><th scope="col">With “{word}”</th></tr></thead>
          <tbody>
            {pairs.map(pair => (
              <tr key={pair.prompt}>
                <th scope="row">{pair.prompt.replaceAll('{concept}', '…')}</th>
                <td><div class="tile">{pair.with && <Image picture={pair.with} alt={pair.with.prompt} />}</div></td>
                <td><div class="tile">{pair.without && <Image picture={pair.without} alt={pair.without.prompt} />}</div></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const examplesFor = (concept: Concept): string[] =>
  concept.settings?.kind === ConceptKind.STYLE
    ? ['a house in the style of {concept}', 'a tree in the style of {concept}', 'a cat in the style of {concept}']
    : ['a photo of {concept}', 'a photo of {concept} in the snow', 'a pencil drawing of {concept}'];

function Summary({ concept }: { concept: Concept }) {
  const [open, setOpen] = useState(false);
  const url = useMemo(() => (concept.summaryPng.length ? URL.createObjectURL(blobOf(concept.summaryPng, 'image/png')) : undefined), [concept]);
  return (
    <details>
      <summary>How it was trained</summary>
      {concept.settings
        ? <TrainingFacts settings={concept.settings} photos={concept.photoSha256.length} />
        : <Facts facts={[['Family', concept.family], ['Vectors', concept.numVectors], ['Width', concept.dimensions.join(', ')], ['Norms', concept.norms.map(numberOf).join(', ')]]} />}
      {url && <button class="tile summary" onClick={() => setOpen(true)} aria-label="Curves and previews of the training, larger"><img src={url} alt="Curves and previews of the training" /></button>}
      {open && <Dialog title="The training" wide onClose={() => setOpen(false)}><div class="large"><img src={url} alt="Curves and previews of the training" /></div></Dialog>}
    </details>
  );
}

function Manage({ concept }: { concept: Concept }) {
  const [versions, setVersions] = useState<Concept[]>([]);
  const [asking, setAsking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  useEffect(() => {
    concepts.listVersions({ name: concept.name }).then(response => setVersions(response.concepts), () => setVersions([]));
  }, [concept]);

  const act = async (action: () => Promise<unknown>, then: () => void = () => {}) => {
    try {
      await action();
      await readConcepts();
      then();
    } catch (reason) {
      setTrouble(troubleOf(reason));
    } finally {
      setAsking(false);
    }
  };

  return (
    <details>
      <summary>Versions, delete</summary>
      {versions.length === 0 ? <p class="hint">It has no earlier versions.</p> : (
        <ul class="plain">
          {versions.map(version => (
            <li key={version.version}>
              {momentOf(version.created)}, {plural(version.numVectors, 'vector')}{' '}
              <button onClick={() => void act(() => concepts.restore({ name: concept.name, version: version.version }))}>Restore</button>
            </li>
          ))}
        </ul>
      )}
      <button class="danger" onClick={() => setAsking(true)}>Delete {concept.placeholder}</button>
      <TroubleNote trouble={trouble} />
      {asking && (
        <Dialog title={`Delete ${concept.placeholder}?`} onClose={() => setAsking(false)}>
          <p>The concept and its earlier versions are deleted. Images that were generated with it stay.</p>
          <div class="actions">
            <button class="danger" onClick={() => void act(() => concepts.delete({ name: concept.name }), () => go('concepts'))}>Delete</button>
            <button onClick={() => setAsking(false)}>Keep it</button>
          </div>
        </Dialog>
      )}
    </details>
  );
}
