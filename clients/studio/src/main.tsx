import { render } from 'preact';
import { App } from './app';
import { keepReadingJobs, readAll } from './api/library';
import 'uplot/dist/uPlot.min.css';
import './style/studio.css';

void readAll();
keepReadingJobs();
render(<App />, document.getElementById('studio')!);
