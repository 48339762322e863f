import type { JobServiceWatchResponse } from '../gen/dti/v1/job_service_pb';
import { jobs } from './clients';
import { isLost } from './errors';

/** What was seen of a job, so that a replay after a lost connection adds neither gap nor duplicate. */
export interface JobLog {
  /** The step that a replay starts with: the last one seen, as the connection may have been lost in the middle of it. */
  readonly step: number;
  readonly finished: boolean;
  take(event: JobServiceWatchResponse): void;
}

const longestWait = 5000;

/**
 * Watches a job until its last event. Lost connections are made again without end, and told to `connected`. A hidden
 * tab watches nothing, because a browser has six connections to a server for all its tabs.
 */
export async function follow(jobId: string, log: JobLog, stop: AbortSignal, connected: (is: boolean) => void): Promise<void> {
  for (let tries = 0; !log.finished && !stop.aborted; tries++) {
    await visible(stop);
    const connection = new AbortController();
    const end = () => connection.abort();
    const hide = () => document.hidden && connection.abort();
    stop.addEventListener('abort', end);
    document.addEventListener('visibilitychange', hide);
    try {
      for await (const event of jobs.watch({ jobId, fromStep: log.step }, { signal: connection.signal })) {
        connected(true);
        tries = 0;
        log.take(event);
      }

      if (log.finished) return;
    } catch (reason) {
      if (stop.aborted) return;
      if (!connection.signal.aborted && !isLost(reason)) throw reason;
      if (connection.signal.aborted) continue;
    } finally {
      stop.removeEventListener('abort', end);
      document.removeEventListener('visibilitychange', hide);
    }

    connected(false);
    await delay(Math.min(longestWait, 250 * 2 ** tries), stop);
  }
}

/** Waits; ends early, without an error, when `stop` is aborted. */
export const delay = (milliseconds: number, stop: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    stop.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

const visible = (stop: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (!document.hidden || stop.aborted) return resolve();
    const look = () => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    stop.addEventListener('abort', look, { once: true });
  });
