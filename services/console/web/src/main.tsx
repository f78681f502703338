import '@patternfly/react-core/dist/styles/base.css';
import './theme/console.css';
import './theme/project.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { beginAtTheTop } from './app/focus';
import { watchForMissingParts } from './app/missing-parts';
import { start } from './app/start';
import { startTheme } from './theme/theme';

startTheme();
watchForMissingParts();
beginAtTheTop();
const root = createRoot(document.getElementById('root') as HTMLElement);
void start().then((application) => root.render(<StrictMode>{application}</StrictMode>));
