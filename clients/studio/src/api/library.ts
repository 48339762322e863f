import { signal } from '@preact/signals';
import type { Concept } from '../gen/dti/v1/concept_service_pb';
import { JobState, type Job } from '../gen/dti/v1/job_service_pb';
import type { Model } from '../gen/dti/v1/model_service_pb';
import type { ServerInfo } from '../gen/dti/v1/server_service_pb';
import * as api from './clients';
import { troubleOf, type Trouble } from './errors';
import { locked } from './token';

/** What the server has. Undefined: not asked yet. */
export const allConcepts = signal<Concept[] | undefined>(undefined);
export const allModels = signal<Model[] | undefined>(undefined);
export const allJobs = signal<Job[] | undefined>(undefined);
export const about = signal<ServerInfo | undefined>(undefined);

/** Why one of them could not be read. */
export const libraryTrouble = signal<Trouble | undefined>(undefined);

export const isActive = (job: Job): boolean => job.state === JobState.QUEUED || job.state === JobState.RUNNING;

export async function readConcepts(): Promise<void> {
  await reading(async () => {
    const found: Concept[] = [];
    for (let pageToken = ''; ; ) {
      const page = await api.concepts.list({ pageToken });
      found.push(...page.concepts);
      pageToken = page.nextPageToken;
      if (!pageToken) break;
    }

    allConcepts.value = found;
  });
}

export const readModels = (): Promise<void> => reading(async () => void (allModels.value = (await api.models.list({})).models));

export const readServer = (): Promise<void> => reading(async () => void (about.value = (await api.server.get({})).server));

/** Reads the jobs; concepts again when a job has ended since. */
export async function readJobs(): Promise<void> {
  await reading(async () => {
    const before = allJobs.value?.filter(isActive).map(job => job.jobId) ?? [];
    allJobs.value = (await api.jobs.list({ pageSize: 100 })).jobs;
    const active = new Set(allJobs.value.filter(isActive).map(job => job.jobId));
    if (before.some(jobId => !active.has(jobId))) await readConcepts();
  });
}

export const readAll = (): Promise<unknown> => Promise.all([readServer(), readModels(), readConcepts(), readJobs()]);

/** Reads the jobs for as long as the page is open and seen. */
export function keepReadingJobs(): void {
  const read = async () => {
    if (!document.hidden && !locked.value) {
      const wasLost = libraryTrouble.value !== undefined;
      await readJobs();
      if (wasLost && !libraryTrouble.value) await readAll();
    }

    setTimeout(read, allJobs.value?.some(isActive) ? 1500 : 4000);
  };
  setTimeout(read, 1500);
  document.addEventListener('visibilitychange', () => !document.hidden && void readJobs());
}

async function reading(read: () => Promise<void>): Promise<void> {
  try {
    await read();
    libraryTrouble.value = undefined;
  } catch (reason) {
    libraryTrouble.value = troubleOf(reason);
  }
}
