import { hex, type Photo, type SentPhoto } from './photos';

/**
 * Small copies of the photos that were trained on here, by SHA-256: the server keeps a concept's photos to itself and
 * tells only their hashes. They stay in this browser.
 */
const side = 320;

/** Keeps the photos of a training; `sent` are their bytes as the server got them. */
export async function rememberPhotos(photos: readonly Photo[], sent: readonly SentPhoto[]): Promise<void> {
  try {
    const small = await Promise.all(photos.map(async (photo, i) => {
      const hash = hex(await crypto.subtle.digest('SHA-256', sent[i]!.data as Uint8Array<ArrayBuffer>));
      return [hash, await thumbnail(photo.data)] as const;
    }));
    const store = await open('readwrite');
    for (const [hash, data] of small) store.put(data, hash);
  } catch {
    // Without storage (a private window), the concept's page shows no photos.
  }
}

/** The photos that are known here, in the given order. */
export async function recallPhotos(hashes: readonly string[]): Promise<Blob[]> {
  try {
    const store = await open('readonly');
    const found = await Promise.all(hashes.map(hash => result<Blob | undefined>(store.get(hash))));
    return found.filter(blob => blob !== undefined);
  } catch {
    return [];
  }
}

async function thumbnail(data: Blob): Promise<Blob> {
  const image = await createImageBitmap(data);
  const scale = Math.min(1, side / Math.min(image.width, image.height));
  const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas.convertToBlob({ type: 'image/webp', quality: 0.85 });
}

async function open(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const request = indexedDB.open('dti-studio', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('photos');
  return (await result(request)).transaction('photos', mode).objectStore('photos');
}

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
