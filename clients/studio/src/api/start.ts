import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GenerateResponse, InterpolateResponse, TrainRequestSchema } from '../gen/dti/v1/dti_service_pb';
import { dti } from './clients';
import { isLost } from './errors';
import { delay } from './follow';
import type { PictureLog } from './pictureLog';

const tries = 5;

/**
 * Starts a training job and gives its id. The job belongs to the server; `follow` watches it. The request's id makes a
 * second try safe where the answer to the first was lost.
 */
export async function startTraining(request: MessageInitShape<typeof TrainRequestSchema>): Promise<string> {
  const requestId = request.requestId || crypto.randomUUID();
  for (let attempt = 1; ; attempt++) {
    const call = new AbortController();
    try {
      for await (const { event } of dti.train({ ...request, requestId }, { signal: call.signal })) {
        if (event.case === 'accepted') return event.value.jobId;
      }

      throw new Error('The server ended the stream before it accepted the job.');
    } catch (reason) {
      if (!isLost(reason) || attempt === tries) throw reason;
      await delay(500 * attempt, new AbortController().signal);
    } finally {
      call.abort();
    }
  }
}

/**
 * Runs a generation, which stops when the call ends. After a lost connection the request is sent again as the server
 * resolved it, which gives the same images; `log` takes each once.
 */
export async function runPictures(
  call: (log: PictureLog, signal: AbortSignal) => AsyncIterable<GenerateResponse | InterpolateResponse>, log: PictureLog, stop: AbortSignal,
): Promise<void> {
  for (let attempt = 1; !log.finished; attempt++) {
    try {
      for await (const event of call(log, stop)) log.takeEvent(event);
    } catch (reason) {
      if (stop.aborted || !isLost(reason) || attempt === tries) throw reason;
      await delay(500 * attempt, stop);
    }
  }
}
