import { durationMs, timestampDate, type Duration, type Timestamp } from '@bufbuild/protobuf/wkt';
import { JobKind, JobState } from '../gen/dti/v1/job_service_pb';

/** 3 min 20 s, 45 s, 2 h 5 min. */
export function timeOf(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const durationOf = (duration: Duration | undefined): string => (duration ? timeOf(durationMs(duration)) : '');

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const momentOf = (time: Timestamp | undefined): string => (time ? moment.format(timestampDate(time)) : '');

/** A number to about three digits. */
export function numberOf(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

export function bytesOf(bytes: bigint): string {
  const mebibytes = Number(bytes) / (1 << 20);
  return mebibytes < 1024 ? `${numberOf(mebibytes)} MiB` : `${numberOf(mebibytes / 1024)} GiB`;
}

export const kindOf = (kind: JobKind): string =>
  kind === JobKind.TRAIN ? 'Training' : kind === JobKind.GENERATE ? 'Images' : kind === JobKind.INTERPOLATE ? 'Blend' : 'Job';

const states: Record<JobState, string> = {
  [JobState.UNSPECIFIED]: 'Unknown',
  [JobState.QUEUED]: 'Queued',
  [JobState.RUNNING]: 'Running',
  [JobState.SUCCEEDED]: 'Finished',
  [JobState.FAILED]: 'Failed',
  [JobState.CANCELLED]: 'Cancelled',
};

export const stateOf = (state: JobState): string => states[state];

/** A file name made of a prompt. */
export const slugOf = (text: string): string =>
  text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 48) || 'image';

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
