import type { Picture, Queued, Warning } from '../gen/dti/v1/common_pb';
import type { TrainResponse } from '../gen/dti/v1/dti_service_pb';
import type { JobServiceWatchResponse } from '../gen/dti/v1/job_service_pb';
import type { TrainAccepted, TrainCheck, TrainProgress, TrainResult } from '../gen/dti/v1/training_pb';
import type { JobLog } from './follow';

/** The columns of the curves: one value for each step. */
export interface Curves {
  step: number[];
  loss: number[];
  average: number[];
  norm: number[];
  angle: number[];
}

/** Everything that a training has reported. */
export class TrainingLog implements JobLog {
  accepted?: TrainAccepted;
  queued?: Queued;
  progress?: TrainProgress;
  result?: TrainResult;
  readonly warnings: Warning[] = [];
  readonly checks: TrainCheck[] = [];
  readonly previews: { step: number; picture: Picture }[] = [];
  readonly curves: Curves = { step: [], loss: [], average: [], norm: [], angle: [] };
  step = 0;

  constructor(private readonly changed: () => void) {}

  get finished(): boolean {
    return this.result !== undefined;
  }

  take(event: JobServiceWatchResponse): void {
    if (event.event) this.takeTraining(event.event);
    this.changed();
  }

  private takeTraining({ event }: TrainResponse): void {
    switch (event.case) {
      case 'accepted':
        this.accepted ??= event.value;
        break;
      case 'queued':
        if (!this.progress) this.queued = event.value;
        break;
      case 'progress':
        if (event.value.step > (this.progress?.step ?? 0)) this.append(event.value);
        break;
      case 'preview': {
        const { step, picture } = event.value;
        const known = this.previews.some(other => other.step === step && other.picture.index === picture?.index);
        if (picture && !known) this.previews.push({ step, picture });
        this.step = Math.max(this.step, step);
        break;
      }
      case 'check':
        if (!this.checks.some(check => check.step === event.value.step)) this.checks.push(event.value);
        break;
      case 'warning':
        if (!this.warnings.some(warning => warning.message === event.value.message)) this.warnings.push(event.value);
        break;
      case 'result':
        this.result = event.value;
        break;
    }
  }

  private append(progress: TrainProgress): void {
    this.queued = undefined;
    this.progress = progress;
    this.step = progress.step;
    this.curves.step.push(progress.step);
    this.curves.loss.push(progress.loss);
    this.curves.average.push(progress.lossAverage);
    this.curves.norm.push(progress.norm);
    this.curves.angle.push(progress.angleDegrees);
  }
}
