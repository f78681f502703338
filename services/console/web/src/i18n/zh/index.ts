import type { Texts, Words } from '../en';
import { common } from './common';
import { me } from './me';
import { platform } from './platform';
import { project } from './project';
import { workspace } from './workspace';

export const zh: Texts<Words> = { ...common, me, platform, project, workspace };
