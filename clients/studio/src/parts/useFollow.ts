import { useEffect, useRef, useState } from 'preact/hooks';
import { troubleOf, type Trouble } from '../api/errors';
import { follow, type JobLog } from '../api/follow';
import { readJobs } from '../api/library';

export interface Followed<T> {
  log: T | undefined;
  trouble: Trouble | undefined;
  connected: boolean;
}

/** Watches a job while a part of the page shows it; draws it at most once a frame. */
export function useFollow<T extends JobLog>(jobId: string, make: (changed: () => void) => T): Followed<T> {
  const [, redraw] = useState(0);
  const [trouble, setTrouble] = useState<Trouble>();
  const [connected, setConnected] = useState(true);
  const log = useRef<T>(undefined);
  useEffect(() => {
    let frame = 0;
    log.current = make(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        redraw(count => count + 1);
      });
    });
    setTrouble(undefined);
    const stop = new AbortController();
    follow(jobId, log.current, stop.signal, setConnected)
      .catch(reason => setTrouble(troubleOf(reason)))
      .finally(() => void readJobs());
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [jobId]);
  return { log: log.current, trouble, connected };
}

/** Draws again whenever a log changes, at most once a frame. */
export function useRedraw(): () => void {
  const [, redraw] = useState(0);
  const frame = useRef(0);
  return () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      redraw(count => count + 1);
    });
  };
}
