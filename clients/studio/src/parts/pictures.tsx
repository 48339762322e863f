import type { Picture } from '../gen/dti/v1/common_pb';

const urls = new WeakMap<object, string>();

/** An address of an image's bytes, for as long as the page is open. */
export function urlOf(picture: Picture): string {
  let url = urls.get(picture);
  if (!url) urls.set(picture, url = URL.createObjectURL(blobOf(picture.data, picture.mediaType)));
  return url;
}

export const blobOf = (data: Uint8Array, type: string): Blob => new Blob([data as Uint8Array<ArrayBuffer>], { type });

export function Image({ picture, alt, pixelated }: { picture: Picture; alt: string; pixelated?: boolean }) {
  return <img class={pixelated ? 'latent' : undefined} src={urlOf(picture)} width={picture.width} height={picture.height} alt={alt} />;
}

/** Saves bytes as a file of the user's. */
export function download(data: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(data);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const endingOf = (mediaType: string): string => mediaType.replace('image/', '').replace('jpeg', 'jpg');
