import { Code, ConnectError } from '@connectrpc/connect';
import { askForToken } from './token';

/** What went wrong, as the user reads it. */
export interface Trouble {
  title: string;
  message: string;
}

const titles: Partial<Record<Code, string>> = {
  [Code.InvalidArgument]: 'The server rejected the request',
  [Code.NotFound]: 'Not found',
  [Code.AlreadyExists]: 'The name is taken',
  [Code.FailedPrecondition]: 'This cannot be done now',
  [Code.ResourceExhausted]: 'The server is full',
  [Code.Canceled]: 'Cancelled',
  [Code.Unauthenticated]: 'The server needs a token',
  [Code.PermissionDenied]: 'Your token does not allow this',
  [Code.Aborted]: 'The job was given up',
};

/** The server's own sentences. Asks for a token where one is missing. */
export function troubleOf(reason: unknown): Trouble {
  const error = ConnectError.from(reason);
  if (isLost(error)) {
    return {
      title: 'The server does not answer',
      message: `No connection to ${location.host}. Check that "dti serve" still runs; this page continues as soon as it answers.`,
    };
  }

  if (error.code === Code.Unauthenticated) askForToken();
  return { title: titles[error.code] ?? 'The server reported an error', message: error.rawMessage };
}

/** Whether the connection was lost, so that the same call may succeed later. */
export function isLost(reason: unknown): boolean {
  const error = ConnectError.from(reason);
  return error.code === Code.Unavailable
    || (error.code === Code.Unknown && (error.cause instanceof TypeError || error.rawMessage === 'missing trailer'))
    || (error.code === Code.InvalidArgument && error.rawMessage === 'premature EOF');
}

export const isCancelled = (reason: unknown): boolean => ConnectError.from(reason).code === Code.Canceled;

/** Whether something of that name is there already, so that the same call with overwrite may succeed. */
export const isTaken = (reason: unknown): boolean => ConnectError.from(reason).code === Code.AlreadyExists;
