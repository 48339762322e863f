import { useRef, useState } from 'preact/hooks';
import { readPhotos, release, warningsOf, type Photo } from '../api/photos';
import { Dialog } from './dialog';
import { TextField } from './forms';
import { plural } from './words';

const most = 50;

interface PhotoGridProps {
  photos: Photo[];
  onChange: (photos: Photo[]) => void;
  resolution: number;
  centerCrop: boolean;
}

/** The photos of a training: dropped, pasted or chosen. */
export function PhotoGrid({ photos, onChange, resolution, centerCrop }: PhotoGridProps) {
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [problems, setProblems] = useState<string[]>([]);
  const [shown, setShown] = useState<Photo>();

  const add = async (files: Iterable<File>) => {
    const added = await readPhotos([...files], photos);
    const all = [...photos, ...added.photos];
    for (const photo of all.slice(most)) release(photo);
    setProblems(all.length > most ? [...added.problems, `A concept is learnt from at most ${most} photos; the rest is left out.`] : added.problems);
    onChange(all.slice(0, most));
  };

  const remove = (photo: Photo) => {
    release(photo);
    setProblems([]);
    onChange(photos.filter(other => other !== photo));
  };

  return (
    <section
      class={over ? 'drop over' : 'drop'} aria-label="Photos"
      onDragOver={event => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault();
        setOver(false);
        void add(event.dataTransfer?.files ?? []);
      }}
      onPaste={event => void add(event.clipboardData?.files ?? [])}
    >
      <ul class="photos">
        {photos.map(photo => (
          <li key={photo.id}>
            <button class="photo" onClick={() => setShown(photo)} aria-label={`${photo.name}: crop, mask and caption`}>
              <img src={photo.url} alt="" />
              {warningsOf(photo, resolution).length > 0 && <span class="badge warn">Small</span>}
              {photo.mask && <span class="badge">Mask</span>}
              {photo.caption && <span class="badge">Caption</span>}
            </button>
            <button class="remove" aria-label={`Remove ${photo.name}`} onClick={() => remove(photo)}>✕</button>
          </li>
        ))}
        <li class={photos.length ? 'add' : 'add alone'}>
          <button onClick={() => chooser.current?.click()}>
            <span class="plus" aria-hidden="true">+</span>
            <span>{photos.length ? 'Add photos' : 'Drop 3 to 6 photos here, or choose files'}</span>
          </button>
        </li>
      </ul>
      <input
        ref={chooser} class="chooser" type="file" multiple accept="image/*,.txt,.caption" aria-label="Photo files" tabIndex={-1}
        onChange={event => {
          void add(event.currentTarget.files ?? []);
          event.currentTarget.value = '';
        }}
      />
      <p class="hint" role="status">
        {photos.length ? `${plural(photos.length, 'photo')}. ` : ''}
        A caption (1.txt) and a mask (1-mask.png) dropped along with 1.jpg belong to it.
      </p>
      <div role="alert">{problems.length > 0 && <ul class="note warn">{problems.map(problem => <li key={problem}>{problem}</li>)}</ul>}</div>
      {shown && (
        <PhotoDialog
          photo={shown} resolution={resolution} centerCrop={centerCrop}
          onCaption={caption => (shown.caption = caption, onChange([...photos]))}
          onClose={() => setShown(undefined)}
        />
      )}
    </section>
  );
}

interface PhotoDialogProps {
  photo: Photo;
  resolution: number;
  centerCrop: boolean;
  onCaption: (caption: string) => void;
  onClose: () => void;
}

function PhotoDialog({ photo, resolution, centerCrop, onCaption, onClose }: PhotoDialogProps) {
  const [masked, setMasked] = useState(photo.mask !== undefined);
  const wide = photo.width >= photo.height;
  return (
    <Dialog title={photo.name} onClose={onClose}>
      <div class={wide ? 'crop wide' : 'crop tall'}>
        <img src={photo.url} alt="The whole photo" />
        {masked && photo.mask && <img class="mask" src={photo.mask.url} alt="Its mask: only the white part is learnt" />}
        <span class="frame" aria-hidden="true" />
      </div>
      <p class="hint">
        {photo.width} × {photo.height} pixels. Trained on as squares of {resolution || '…'} pixels
        {photo.width === photo.height ? '.' : centerCrop ? ', from the centre, as the frame shows.' : `, as large as the frame, at random places ${wide ? 'from left to right' : 'from top to bottom'}.`}
      </p>
      {warningsOf(photo, resolution).map(warning => <p class="note warn" key={warning}>{warning}</p>)}
      {photo.mask && <label class="check"><input type="checkbox" checked={masked} onChange={event => setMasked(event.currentTarget.checked)} /> Show the mask</label>}
      <TextField
        label="Caption" value={photo.caption} rows={2} onChange={onCaption} placeholder="a {concept} on a sofa"
        hint="What the photo shows, with {concept} where the subject is named. What a caption mentions becomes less a part of the concept. Empty: a template."
      />
    </Dialog>
  );
}
