import type { Picture, Queued, Warning } from '../gen/dti/v1/common_pb';
import type { GenerateResponse, InterpolateResponse } from '../gen/dti/v1/dti_service_pb';
import type { GenerateAccepted, InterpolateAccepted, SamplingProgress } from '../gen/dti/v1/generation_pb';
import type { JobServiceWatchResponse } from '../gen/dti/v1/job_service_pb';
import type { JobLog } from './follow';

/** Everything that a generation or a blend has reported. */
export class PictureLog implements JobLog {
  accepted?: GenerateAccepted | InterpolateAccepted;
  queued?: Queued;
  progress?: SamplingProgress;
  preview?: Picture;
  finished = false;
  readonly warnings: Warning[] = [];
  readonly pictures: Picture[] = [];
  /** Pictures have few steps, and a replay of all of them is small. */
  readonly step = 0;

  constructor(private readonly changed: () => void) {}

  take(event: JobServiceWatchResponse): void {
    const happened = event.generate ?? event.interpolate;
    if (happened) this.takeEvent(happened);
  }

  takeEvent({ event }: GenerateResponse | InterpolateResponse): void {
    switch (event.case) {
      case 'accepted':
        this.accepted = event.value;
        break;
      case 'queued':
        this.queued = event.value;
        break;
      case 'progress':
        this.queued = undefined;
        this.progress = event.value;
        this.preview = event.value.preview ?? this.preview;
        break;
      case 'warning':
        if (!this.warnings.some(warning => warning.message === event.value.message)) this.warnings.push(event.value);
        break;
      case 'picture':
        if (!this.pictures.some(picture => picture.index === event.value.index)) this.pictures.push(event.value);
        this.preview = undefined;
        break;
      case 'result':
        this.finished = true;
        break;
    }

    this.changed();
  }
}
