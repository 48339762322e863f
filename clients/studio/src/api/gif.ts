import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import type { Picture } from '../gen/dti/v1/common_pb';
import { blobOf } from '../parts/pictures';

/** An endless animation of images: there and back again. */
export async function animate(pictures: readonly Picture[], delay: number, progress: (share: number) => void): Promise<Blob> {
  const order = [...pictures, ...pictures.slice(1, -1).reverse()];
  const encoder = GIFEncoder();
  for (const [i, picture] of order.entries()) {
    const image = await createImageBitmap(blobOf(picture.data, picture.mediaType));
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(image, 0, 0);
    image.close();
    const { data } = context.getImageData(0, 0, width, height);
    const palette = quantize(data, 256);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay, repeat: 0 });
    progress((i + 1) / order.length);
    await new Promise(resolve => setTimeout(resolve)); // the page stays responsive
  }

  encoder.finish();
  return new Blob([encoder.bytes()], { type: 'image/gif' });
}
