import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import type { Picture } from '../gen/dti/v1/common_pb';
import { blobOf } from '../parts/pictures';

export type Format = 'gif' | 'webp' | 'mp4';

type Frames = AsyncIterable<HTMLCanvasElement>;

const mp4 = 'video/mp4';

/** What this browser can record or encode. */
export const formats: readonly Format[] = globalThis.MediaRecorder?.isTypeSupported(mp4) ? ['gif', 'webp', 'mp4'] : ['gif', 'webp'];

/** An animation of images, there and back again, without end in GIF and WebP. Each image lasts `delay` milliseconds. */
export function animate(
  pictures: readonly Picture[], format: Format, delay: number, progress: (share: number) => void,
): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const frames = framesOf(canvas, pictures, progress);
  return format === 'gif' ? gifOf(frames, delay) : format === 'webp' ? webpOf(frames, delay) : videoOf(canvas, frames, delay);
}

/** The canvas, once for each image that it then shows. */
async function* framesOf(
  canvas: HTMLCanvasElement, pictures: readonly Picture[], progress: (share: number) => void,
): AsyncGenerator<HTMLCanvasElement> {
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true })!;
  const order = [...pictures, ...pictures.slice(1, -1).reverse()];
  for (const [i, picture] of order.entries()) {
    const image = await createImageBitmap(blobOf(picture.data, picture.mediaType));
    if (i === 0) [canvas.width, canvas.height] = [image.width, image.height];
    context.drawImage(image, 0, 0);
    image.close();
    yield canvas;
    progress((i + 1) / order.length);
    await pause(0); // the page stays responsive
  }
}

async function gifOf(frames: Frames, delay: number): Promise<Blob> {
  const encoder = GIFEncoder();
  for await (const canvas of frames) {
    const { width, height, data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const palette = quantize(data, 256);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay, repeat: 0 });
  }

  encoder.finish();
  return new Blob([encoder.bytes()], { type: 'image/gif' });
}

/** The browser's own stills in the container of developers.google.com, "WebP Container Specification". */
async function webpOf(frames: Frames, delay: number): Promise<Blob> {
  const body: Uint8Array[] = [ascii('WEBP')];
  for await (const canvas of frames) {
    const size = [...number(canvas.width - 1, 3), ...number(canvas.height - 1, 3)];
    if (body.length === 1) {
      body.push(chunk('VP8X', [0b10, 0, 0, 0, ...size])); // an animation
      body.push(chunk('ANIM', [0, 0, 0, 0, 0, 0])); // without end
    }

    const header = [0, 0, 0, 0, 0, 0, ...size, ...number(delay, 3), 0b10]; // at the top left, replaces what was there
    body.push(chunk('ANMF', [...header, ...await webpStill(canvas)]));
  }

  return new Blob([chunk('RIFF', joined(body))], { type: 'image/webp' });
}

/** The chunk of an opaque still that holds its pixels. */
async function webpStill(canvas: HTMLCanvasElement): Promise<Uint8Array> {
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/webp', 0.9));
  if (blob?.type !== 'image/webp') throw new Error('This browser cannot encode WebP. Download the animation as GIF.');
  const file = new Uint8Array(await blob.arrayBuffer());
  for (let at = 12; at < file.length;) {
    const name = String.fromCharCode(...file.subarray(at, at + 4));
    const length = new DataView(file.buffer).getUint32(at + 4, true);
    const end = at + 8 + length + (length % 2);
    if (name === 'VP8 ' || name === 'VP8L') return file.subarray(at, end);
    at = end;
  }

  throw new Error('This browser wrote a WebP file without pixels. Download the animation as GIF.');
}

const number = (value: number, bytes: number) => Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 255);

const ascii = (text: string) => new TextEncoder().encode(text);

function chunk(name: string, data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(8 + data.length + (data.length % 2));
  file.set(ascii(name));
  file.set(number(data.length, 4), 4);
  file.set(data, 8);
  return file;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

/** Recorded while it plays, since a browser has no other encoder. */
async function videoOf(canvas: HTMLCanvasElement, frames: Frames, delay: number): Promise<Blob> {
  let recorder: MediaRecorder | undefined;
  const parts: Blob[] = [];
  for await (const _ of frames) {
    if (!recorder) {
      recorder = new MediaRecorder(canvas.captureStream(), { mimeType: mp4 });
      recorder.ondataavailable = event => parts.push(event.data);
      recorder.start();
    }

    await pause(delay);
  }

  const stopped = new Promise(resolve => recorder!.onstop = resolve);
  recorder!.stop();
  await stopped;
  return new Blob(parts, { type: mp4 });
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));
