/** A photo to train on, with what belongs to it. */
export interface Photo {
  readonly id: number;
  readonly name: string;
  readonly data: Blob;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  caption: string;
  mask?: { data: Blob; url: string };
}

/** A photo as it is sent. */
export interface SentPhoto {
  fileName: string;
  data: Uint8Array;
  mask: Uint8Array;
  caption: string;
}

/** Files that were added together, and what is wrong with the others. */
export interface Added {
  photos: Photo[];
  problems: string[];
}

const highestResolution = 2048;
// What a server accepts by default, with room for the other fields.
const limit = 63 * 1024 * 1024;
let count = 0;

/**
 * Reads photos, and by the names of the files what belongs to them, as `dti train` does: NAME-mask.png is the mask of
 * NAME.jpg, NAME.txt or NAME.caption its caption.
 */
export async function readPhotos(files: readonly File[], known: readonly Photo[]): Promise<Added> {
  const added: Added = { photos: [], problems: [] };
  const masks: File[] = [];
  const captions: File[] = [];
  const names = new Set([...files.map(file => stem(file.name)), ...known.map(photo => stem(photo.name))]);
  for (const file of files) {
    if (/\.(txt|caption)$/i.test(file.name)) captions.push(file);
    else if (/-mask$/i.test(stem(file.name)) && names.has(stem(file.name).slice(0, -5))) masks.push(file);
    else await readPhoto(file, [...known, ...added.photos], added);
  }

  const all = [...known, ...added.photos];
  for (const file of captions) {
    const photo = all.find(each => stem(each.name) === stem(file.name));
    if (photo) photo.caption = (await file.text()).trim();
    else added.problems.push(`${file.name} is the caption of no photo here.`);
  }

  for (const file of masks) {
    const photo = all.find(each => stem(each.name) === stem(file.name).slice(0, -5));
    if (photo) await addMask(photo, file, added.problems);
  }

  return added;
}

/** Frees what shows a photo. */
export function release(photo: Photo): void {
  URL.revokeObjectURL(photo.url);
  if (photo.mask) URL.revokeObjectURL(photo.mask.url);
}

/** What the user should know of a photo before training on it. */
export function warningsOf(photo: Photo, resolution: number): string[] {
  const side = Math.min(photo.width, photo.height);
  const found: string[] = [];
  if (resolution && side < resolution) found.push(`Its shorter side has ${side} pixels, fewer than the ${resolution} of the training, so it is enlarged.`);
  if (Math.max(photo.width, photo.height) > 3 * side) found.push('It is very long: a crop shows only a small part of it.');
  return found;
}

/** The bytes to send. Photos that do not fit into one request together are reduced to what a training can use. */
export async function prepare(photos: readonly Photo[]): Promise<SentPhoto[]> {
  const total = photos.reduce((sum, photo) => sum + photo.data.size + (photo.mask?.data.size ?? 0), 0);
  return Promise.all(photos.map(async photo => ({
    fileName: photo.name,
    caption: photo.caption,
    data: await bytes(total > limit ? await reduced(photo.data, 'image/jpeg') : photo.data),
    mask: photo.mask ? await bytes(total > limit ? await reduced(photo.mask.data, 'image/png') : photo.mask.data) : new Uint8Array(),
  })));
}

const bytes = async (data: Blob): Promise<Uint8Array> => new Uint8Array(await data.arrayBuffer());

const stem = (name: string): string => name.replace(/\.[^.]*$/, '').toLowerCase();

async function readPhoto(file: File, known: readonly Photo[], added: Added): Promise<void> {
  if (/\.(heic|heif|avif)$/i.test(file.name)) {
    added.problems.push(`${file.name} cannot be decoded by the server. Save it as JPEG or PNG.`);
    return;
  }

  try {
    const image = await createImageBitmap(file);
    const sha256 = hex(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    if (known.some(photo => photo.sha256 === sha256)) added.problems.push(`${file.name} is here already.`);
    else {
      const { width, height } = image;
      added.photos.push({ id: ++count, name: file.name, data: file, url: URL.createObjectURL(file), width, height, sha256, caption: '' });
    }

    image.close();
  } catch {
    added.problems.push(`${file.name} is no JPEG, PNG, WebP, BMP or GIF file that can be decoded.`);
  }
}

async function addMask(photo: Photo, file: File, problems: string[]): Promise<void> {
  try {
    const image = await createImageBitmap(file);
    if (image.width === photo.width && image.height === photo.height) photo.mask = { data: file, url: URL.createObjectURL(file) };
    else problems.push(`${file.name} has ${image.width} × ${image.height} pixels and its photo ${photo.width} × ${photo.height}, which must be equal.`);
    image.close();
  } catch {
    problems.push(`${file.name} cannot be decoded.`);
  }
}

async function reduced(data: Blob, type: string): Promise<Blob> {
  const image = await createImageBitmap(data);
  const scale = Math.min(1, highestResolution / Math.min(image.width, image.height));
  const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas.convertToBlob({ type, quality: 0.9 });
}

export const hex = (buffer: ArrayBuffer): string => [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, '0')).join('');
