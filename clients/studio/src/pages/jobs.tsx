import { useEffect, useState } from 'preact/hooks';
import { jobs } from '../api/clients';
import { troubleOf, type Trouble } from '../api/errors';
import { allJobs, isActive, readJobs } from '../api/library';
import { PictureLog } from '../api/pictureLog';
import { JobKind, JobState, type Job } from '../gen/dti/v1/job_service_pb';
import { Empty, ProgressBar, TroubleNote, Warnings } from '../parts/notes';
import { Image } from '../parts/pictures';
import { linkTo } from '../parts/router';
import { useFollow } from '../parts/useFollow';
import { durationOf, kindOf, momentOf, stateOf } from '../parts/words';
import { Training } from './training';

export function JobsPage() {
  const [trouble, setTrouble] = useState<Trouble>();
  useEffect(() => void readJobs(), []);
  const all = allJobs.value;
  if (!all) return null;
  if (all.length === 0) {
    return <Empty title="No jobs yet"><p>Trainings and images appear here, also those that the command line, ComfyUI or a program has started.</p></Empty>;
  }

  const cancel = async (job: Job) => {
    try {
      await jobs.cancel({ jobId: job.jobId });
      setTrouble(undefined);
      await readJobs();
    } catch (reason) {
      setTrouble(troubleOf(reason));
    }
  };

  return (
    <>
      <TroubleNote trouble={trouble} />
      <ul class="jobs">
        {all.map(job => (
          <li key={job.jobId} class={isActive(job) ? 'active' : undefined}>
            <div>
              <a href={linkTo('jobs', job.jobId)}>{titleOf(job)}</a>
              <span class={`state ${JobState[job.state].toLowerCase()}`}>{stateOf(job.state)}</span>
            </div>
            <p class="hint">
              {momentOf(job.created)}
              {job.totalSteps > 0 && ` · step ${job.step} of ${job.totalSteps}`}
              {job.error && ` · ${job.error}`}
            </p>
            {isActive(job) && (
              <div class="progress-line">
                <ProgressBar label={`Steps of ${titleOf(job)}`} value={job.step} max={job.totalSteps} />
                <button onClick={() => void cancel(job)} aria-label={`Cancel ${titleOf(job)}`}>Cancel</button>
              </div>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Any job, as it runs or as it was. */
export function JobPage({ jobId }: { jobId: string }) {
  const [found, setFound] = useState<Job>();
  const [trouble, setTrouble] = useState<Trouble>();
  useEffect(() => {
    setFound(undefined);
    setTrouble(undefined);
    jobs.get({ jobId }).then(response => setFound(response.job), reason => setTrouble(troubleOf(reason)));
  }, [jobId]);
  const job = allJobs.value?.find(each => each.jobId === jobId) ?? found;
  if (!job) return <TroubleNote trouble={trouble} />;
  return job.kind === JobKind.TRAIN ? <Training key={jobId} job={job} /> : <Pictures key={jobId} job={job} />;
}

export const titleOf = (job: Job): string => (job.name ? `${kindOf(job.kind)} of ${job.name}` : kindOf(job.kind));

function Pictures({ job }: { job: Job }) {
  const { log, trouble, connected } = useFollow(job.jobId, changed => new PictureLog(changed));
  if (!log) return null;
  const ended = log.finished || trouble !== undefined;
  return (
    <>
      <section class="panel" aria-label="Progress">
        <div class="progress-line">
          <p>
            <strong>{log.finished ? 'Finished.' : trouble ? 'Stopped.' : connected ? stateOf(job.state) : 'Connecting again…'}</strong>
            {log.progress && !ended && ` Step ${log.progress.step} of ${log.progress.totalSteps}${log.progress.timeLeft ? ` · ${durationOf(log.progress.timeLeft)} left` : ''}`}
          </p>
          {!ended && <button onClick={() => void jobs.cancel({ jobId: job.jobId }).then(readJobs)}>Cancel</button>}
        </div>
        <ProgressBar label="Sampling steps" value={log.finished ? 1 : log.progress?.step ?? job.step} max={log.finished ? 1 : log.progress?.totalSteps ?? job.totalSteps} />
      </section>
      <TroubleNote trouble={trouble} />
      <Warnings warnings={log.warnings} />
      <ul class="gallery">
        {log.pictures.map(picture => (
          <li key={picture.index}>
            <div class="tile"><Image picture={picture} alt={picture.prompt} /></div>
            <p class="prompt-line">{picture.prompt}</p>
          </li>
        ))}
      </ul>
    </>
  );
}
