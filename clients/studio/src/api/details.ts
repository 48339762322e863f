import { signal } from '@preact/signals';
import type { Concept } from '../gen/dti/v1/concept_service_pb';
import { concepts } from './clients';

/** Concepts with their thumbnails, which lists leave out, by name and time of creation. */
export const details = signal<ReadonlyMap<string, Concept>>(new Map());

const asked = new Set<string>();
let last: Promise<unknown> = Promise.resolve();

export const keyOf = (concept: Concept): string => `${concept.name}@${concept.created?.seconds ?? 0n}.${concept.created?.nanos ?? 0}`;

/** Asks for a concept's details, one after the other. */
export function readDetails(concept: Concept): void {
  const key = keyOf(concept);
  if (asked.has(key)) return;
  asked.add(key);
  last = last.then(async () => {
    try {
      const found = (await concepts.get({ name: concept.name })).concept;
      if (found) details.value = new Map(details.value).set(key, found);
    } catch {
      asked.delete(key); // it may have been deleted meanwhile; its page says so
    }
  });
}
