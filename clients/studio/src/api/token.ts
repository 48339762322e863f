import { signal } from '@preact/signals';

const key = 'dti.token';

/** The access token, kept for as long as the tab is open and no longer. */
export const token = signal(sessionStorage.getItem(key) ?? '');

/** True from a refusal on, until the user enters another token. */
export const locked = signal(false);

/** True while the user is asked for a token. */
export const tokenAsked = signal(false);

export function askForToken(): void {
  if (!locked.value) tokenAsked.value = true;
  locked.value = true;
}

export function useToken(value: string): void {
  token.value = value.trim();
  if (token.value) sessionStorage.setItem(key, token.value);
  else sessionStorage.removeItem(key);
  tokenAsked.value = false;
  locked.value = false;
}
