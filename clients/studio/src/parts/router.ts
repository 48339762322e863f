import { signal } from '@preact/signals';

/** The place in the page: `#/jobs/abc` is ['jobs', 'abc']. */
export const route = signal(parse());

addEventListener('hashchange', () => (route.value = parse()));

export const linkTo = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

export function go(...parts: string[]): void {
  location.hash = linkTo(...parts);
}

function parse(): string[] {
  try {
    return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];
  }
}
