import { useEffect } from 'preact/hooks';
import { about, allModels, readModels } from '../api/library';
import { Empty, Facts } from '../parts/notes';
import { bytesOf } from '../parts/words';

export function ModelsPage() {
  useEffect(() => void readModels(), []);
  const all = allModels.value;
  if (!all) return null;
  return (
    <>
      {all.length === 0 && <Empty title="No models"><p>Start the server with <code>--models</code> and a folder of models, for example ComfyUI’s.</p></Empty>}
      <ul class="models">
        {all.map(model => (
          <li key={model.name} class="panel">
            <h2>
              {model.name}
              {model.isDefault && <span class="state">Default</span>}
              {model.loaded && <span class="state running">In memory</span>}
              {model.problem && <span class="state failed">Unusable</span>}
            </h2>
            {model.problem ? <p class="note warn">{model.problem}</p> : (
              <Facts
                facts={[
                  ['Family', model.family],
                  ['Resolution', model.resolution],
                  ['Weights', `${bytesOf(model.sizeBytes)}, ${model.dtype}`],
                  ['In memory', `${bytesOf(model.memoryBytes)}${model.fits ? '' : ', more than models may take'}`],
                ]}
              />
            )}
          </li>
        ))}
      </ul>
      {about.value && (
        <section class="panel" aria-labelledby="server">
          <h2 id="server">This server</h2>
          <Facts
            facts={[
              ['Version', `Dti ${about.value.version}, libtorch ${about.value.torchVersion}`],
              ['Computes', `${about.value.dtype} on ${about.value.device}`],
              ['Memory', about.value.memory],
              ['You are', about.value.caller],
              ['You may', about.value.scopes.join(', ')],
            ]}
          />
        </section>
      )}
      <p class="hint">More models: start the server with <code>dti serve --models FOLDER</code>.</p>
    </>
  );
}
