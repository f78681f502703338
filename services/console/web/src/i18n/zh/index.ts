import type { Texts, Words } from '../en';
import { everywhere } from './everywhere';
import { me } from './me';
import { platform } from './platform';
import { project } from './project';
import { workspace } from './workspace';

export const zh: Texts<Words> = { ...everywhere, me, platform, project, workspace };
