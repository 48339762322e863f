import { useEffect, useRef, useState } from 'preact/hooks';
import { allJobs, isActive, libraryTrouble, readAll } from './api/library';
import { locked, token, tokenAsked, useToken } from './api/token';
import { Dialog } from './parts/dialog';
import { TextField } from './parts/forms';
import { TroubleNote } from './parts/notes';
import { linkTo, route } from './parts/router';
import { BlendPage } from './pages/blend';
import { ConceptPage, ConceptsPage } from './pages/concepts';
import { GeneratePage } from './pages/generate';
import { JobPage, JobsPage, titleOf } from './pages/jobs';
import { ModelsPage } from './pages/models';
import { TrainPage } from './pages/train';

const places = [['train', 'Train'], ['generate', 'Generate'], ['blend', 'Blend'], ['concepts', 'Concepts'], ['jobs', 'Jobs'], ['models', 'Models']] as const;

export function App() {
  const [place = 'train', detail] = route.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  const title = titleFor(place, detail);
  useEffect(() => {
    document.title = `${title} – Dti Studio`;
    // After a change of place, the keyboard and the screen reader begin at its heading.
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [title]);
  const active = allJobs.value?.filter(isActive).length ?? 0;
  return (
    <>
      <a class="skip" href="#content" onClick={event => (event.preventDefault(), heading.current?.focus())}>Skip to the content</a>
      <header class="top">
        <a class="brand" href={linkTo('train')}><img src="./icon.svg" alt="" width="28" height="28" /> Dti Studio</a>
        <nav aria-label="Pages">
          {places.map(([key, label]) => (
            <a key={key} href={linkTo(key)} aria-current={place === key ? 'page' : undefined}>
              {label}
              {key === 'jobs' && active > 0 && <span class="count">{active}<span class="spoken"> active</span></span>}
            </a>
          ))}
        </nav>
      </header>
      <main id="content">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {!tokenAsked.value && <TroubleNote trouble={libraryTrouble.value} />}
        {locked.value && <p><button class="primary" onClick={() => (tokenAsked.value = true)}>Enter token</button></p>}
        <Page place={place} detail={detail} />
      </main>
      <footer>
        {token.value && <button class="quiet" onClick={() => (tokenAsked.value = true)}>Change token</button>}
        <a href="./licenses.txt" target="_blank" rel="noreferrer">Licences</a>
      </footer>
      {tokenAsked.value && <TokenDialog />}
    </>
  );
}

function Page({ place, detail }: { place: string; detail: string | undefined }) {
  switch (place) {
    case 'generate': return <GeneratePage prompt={detail} />;
    case 'blend': return <BlendPage />;
    case 'concepts': return detail ? <ConceptPage key={detail} name={detail} /> : <ConceptsPage />;
    case 'jobs': return detail ? <JobPage jobId={detail} /> : <JobsPage />;
    case 'models': return <ModelsPage />;
    default: return <TrainPage />;
  }
}

function titleFor(place: string, detail: string | undefined): string {
  if (place === 'concepts' && detail) return `<${detail}>`;
  if (place === 'jobs' && detail) {
    const job = allJobs.value?.find(each => each.jobId === detail);
    return job ? titleOf(job) : 'Job';
  }

  return { generate: 'Generate images', blend: 'Blend two concepts', concepts: 'Concepts', jobs: 'Jobs', models: 'Models' }[place] ?? 'Train a concept';
}

function TokenDialog() {
  const [value, setValue] = useState('');
  const enter = () => {
    useToken(value);
    void readAll();
  };
  return (
    <Dialog title="Access token" onClose={() => (tokenAsked.value = false)}>
      <form onSubmit={event => (event.preventDefault(), enter())}>
        <p>This server requires a token. Whoever runs it creates one with <code>dti tokens create NAME</code>.</p>
        <TextField label="Token" type="password" value={value} onChange={setValue} hint="It is kept in this tab until you close it, and nowhere else." />
        <div class="actions">
          <button class="primary" type="submit" disabled={!value.trim()}>Use token</button>
          {token.value && <button type="button" onClick={() => useToken('')}>Forget the token</button>}
        </div>
      </form>
    </Dialog>
  );
}
