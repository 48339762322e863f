import { useState } from 'preact/hooks';
import { jobs } from '../api/clients';
import { troubleOf, type Trouble } from '../api/errors';
import { isActive, readJobs } from '../api/library';
import { startTraining } from '../api/start';
import { TrainingLog } from '../api/trainingLog';
import type { Picture } from '../gen/dti/v1/common_pb';
import type { Job } from '../gen/dti/v1/job_service_pb';
import { TrainingStart, type TrainingSettings } from '../gen/dti/v1/training_pb';
import { Curve } from '../parts/curve';
import { Dialog } from '../parts/dialog';
import { NumberField } from '../parts/forms';
import { Facts, ProgressBar, TroubleNote, Warnings } from '../parts/notes';
import { Image } from '../parts/pictures';
import { go, linkTo } from '../parts/router';
import { useFollow } from '../parts/useFollow';
import { durationOf, numberOf } from '../parts/words';

/** A training while it runs, and afterwards. */
export function Training({ job }: { job: Job }) {
  const { log, trouble, connected } = useFollow(job.jobId, changed => new TrainingLog(changed));
  const [cancelTrouble, setCancelTrouble] = useState<Trouble>();
  const [shown, setShown] = useState<{ picture: Picture; step: number }>();
  if (!log) return null;
  const { progress, result, accepted, curves } = log;
  const total = progress?.totalSteps ?? accepted?.settings?.steps ?? job.totalSteps;
  const ended = result !== undefined || trouble !== undefined;

  const cancel = async () => {
    try {
      await jobs.cancel({ jobId: job.jobId });
      await readJobs();
    } catch (reason) {
      setCancelTrouble(troubleOf(reason));
    }
  };

  return (
    <>
      <section class="panel" aria-label="Progress">
        <div class="progress-line">
          <p><strong>{stateOf(log, ended, connected, isActive(job))}</strong> {detailOf(log, ended)}</p>
          {!ended && isActive(job) && <button onClick={() => void cancel()}>Cancel training</button>}
        </div>
        <ProgressBar label={`Steps of ${job.name}`} value={progress?.step ?? 0} max={total} />
        <p class="spoken" role="status">{spokenOf(log, total, ended)}</p>
        {result && (
          <div class="progress-line">
            <p>
              <strong>&lt;{result.name}&gt; is in the library.</strong>{' '}
              It took {durationOf(result.elapsed)}. {result.stopped}
            </p>
            <div class="actions">
              <a class="button primary" href={linkTo('concepts', result.name)}>Look at the concept</a>
              <a class="button" href={linkTo('generate', `a photo of ${result.placeholder}`)}>Generate with it</a>
            </div>
          </div>
        )}
      </section>
      <TroubleNote trouble={trouble ?? cancelTrouble} />
      <Warnings warnings={log.warnings} />
      <div class="curves">
        <Curve title="Loss" steps={curves.step} raw={curves.loss} values={curves.average} total={total} />
        <Curve title="Angle from the start" unit="°" steps={curves.step} values={curves.angle} total={total} />
        <Curve title="Norm" fromZero steps={curves.step} values={curves.norm} total={total} />
      </div>
      {log.previews.length > 0 && (
        <section aria-labelledby="previews">
          <h2 id="previews">Previews</h2>
          {byPrompt(log).map(([prompt, previews]) => (
            <div class="previews" key={prompt}>
              <p class="prompt-line">{prompt}</p>
              <ul class="strip">
                {previews.map(preview => (
                  <li key={preview.step}>
                    <button class="tile" onClick={() => setShown(preview)} aria-label={`Preview at step ${preview.step}, larger`}>
                      <Image picture={preview.picture} alt={`${prompt}, at step ${preview.step}`} />
                    </button>
                    <span>{preview.step === 0 ? 'start' : `step ${preview.step}`}</span>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </section>
      )}
      {ended && accepted && <Resume name={accepted.name} steps={result ? 2 * total : total} />}
      {accepted?.settings && (
        <details>
          <summary>All settings</summary>
          <TrainingFacts settings={accepted.settings} photos={accepted.photoCount} />
        </details>
      )}
      {shown && (
        <Dialog title={`Step ${shown.step}`} onClose={() => setShown(undefined)} wide>
          <div class="large"><Image picture={shown.picture} alt={shown.picture.prompt} /></div>
          <p class="prompt-line">{shown.picture.prompt}</p>
        </Dialog>
      )}
    </>
  );
}

export function TrainingFacts({ settings, photos }: { settings: TrainingSettings; photos?: number }) {
  return (
    <Facts
      facts={[
        ['Model', settings.model],
        ['Photos', photos],
        ['Started from', settings.startConcept || (settings.start === TrainingStart.PHOTOS ? 'the photos' : settings.initializer)],
        ['Vectors', settings.numVectors],
        ['Steps', settings.steps],
        ['Photos of a batch', settings.batchSize],
        ['Accumulation', settings.gradientAccumulation > 1 ? settings.gradientAccumulation : undefined],
        ['Step length η', numberOf(settings.learningRate)],
        ['Prior κ', numberOf(settings.kappa)],
        ['Magnitude m', settings.magnitudeValues.map(numberOf).join(', ') || numberOf(settings.magnitudeValue)],
        ['Resolution', settings.resolution],
        ['Seed', String(settings.seed)],
        ['Computes', `${settings.dtype} on ${settings.device}`],
      ]}
    />
  );
}

function Resume({ name, steps }: { name: string; steps: number }) {
  const [more, setMore] = useState<number | undefined>(steps);
  const [trouble, setTrouble] = useState<Trouble>();
  const resume = async () => {
    try {
      const jobId = await startTraining({ name, resume: {}, options: { steps: more } });
      await readJobs();
      go('jobs', jobId);
    } catch (reason) {
      setTrouble(troubleOf(reason));
    }
  };
  return (
    <section class="panel" aria-labelledby="resume">
      <h2 id="resume">Continue this training</h2>
      <p class="hint">It goes on from its newest snapshot, exactly as if it had never stopped.</p>
      <form class="row" onSubmit={event => (event.preventDefault(), void resume())}>
        <NumberField label="Up to step" value={more} min={1} onChange={setMore} />
        <button type="submit">Continue</button>
      </form>
      <TroubleNote trouble={trouble} />
    </section>
  );
}

function stateOf(log: TrainingLog, ended: boolean, connected: boolean, active: boolean): string {
  if (log.result) return 'Finished.';
  if (ended) return 'Stopped.';
  if (!connected) return 'Connecting again…';
  if (!active) return 'Reading what it has reported…';
  if (log.progress) return `Step ${log.progress.step} of ${log.progress.totalSteps}`;
  return log.queued && log.queued.position > 0 ? `Queued behind ${log.queued.position}` : 'Starting…';
}

function detailOf({ progress, result }: TrainingLog, ended: boolean): string {
  if (!progress || ended || result) return progress ? `${progress.step} of ${progress.totalSteps} steps.` : '';
  const speed = progress.stepsPerSecond >= 1 ? `${numberOf(progress.stepsPerSecond)} steps per second` : `${numberOf(1 / progress.stepsPerSecond)} s per step`;
  return [Number.isFinite(progress.stepsPerSecond) && progress.stepsPerSecond > 0 && speed, progress.timeLeft && `${durationOf(progress.timeLeft)} left`]
    .filter(Boolean).map(part => `· ${part}`).join(' ');
}

// Screen readers hear a quarter of the way at a time, not each step.
function spokenOf({ progress, result }: TrainingLog, total: number, ended: boolean): string {
  if (result) return `The training of ${result.name} is finished.`;
  if (ended) return 'The training has stopped.';
  return progress && total ? `${Math.floor((4 * progress.step) / total) * 25} % of the steps are done.` : '';
}

function byPrompt(log: TrainingLog): [string, { picture: Picture; step: number }[]][] {
  const groups = new Map<number, { picture: Picture; step: number }[]>();
  for (const preview of log.previews) groups.set(preview.picture.index, [...(groups.get(preview.picture.index) ?? []), preview]);
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, previews]) => [previews.at(-1)!.picture.prompt, previews]);
}
