import { signal } from '@preact/signals';
import type { Picture } from '../gen/dti/v1/common_pb';
import type { GenerationSettings } from '../gen/dti/v1/generation_pb';
import { JobKind, JobState } from '../gen/dti/v1/job_service_pb';
import * as api from './clients';
import { PictureLog } from './pictureLog';

/** An image with the settings that it was generated with. */
export interface Shown {
  picture: Picture;
  settings: GenerationSettings;
  jobId: string;
}

/** The images of this page and of the server's last jobs, newest first. */
export const gallery = signal<Shown[]>([]);

const remembered = 12;
let recalled = false;

export function addPictures(log: PictureLog): void {
  const { settings, jobId } = log.accepted!;
  const known = new Set(gallery.value.map(each => `${each.jobId}/${each.picture.index}`));
  const added = log.pictures.filter(picture => !known.has(`${jobId}/${picture.index}`)).map(picture => ({ picture, settings: settings!, jobId }));
  if (added.length > 0) gallery.value = [...added.reverse(), ...gallery.value];
}

/** Reads the images of the last jobs, once: they are in the server's history, also after this page was closed. */
export async function recallPictures(): Promise<void> {
  if (recalled) return;
  recalled = true;
  try {
    const { jobs } = await api.jobs.list({ states: [JobState.SUCCEEDED], pageSize: 100 });
    const last = jobs.filter(job => job.kind === JobKind.GENERATE).slice(0, remembered);
    const found: Shown[] = [];
    for (const { jobId } of last) {
      const log = new PictureLog(() => {});
      for await (const event of api.jobs.watch({ jobId })) log.take(event);
      const settings = log.accepted?.settings;
      if (settings) found.push(...[...log.pictures].reverse().map(picture => ({ picture, settings, jobId })));
    }

    const known = new Set(gallery.value.map(each => each.jobId));
    gallery.value = [...gallery.value, ...found.filter(each => !known.has(each.jobId))];
  } catch {
    recalled = false; // the next look at the page tries again; what is wrong is shown by the page's other calls
  }
}
