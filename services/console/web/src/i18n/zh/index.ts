import type { Texts, Words } from '../en';
import { common } from './common';
import { platform } from './platform';
import { project } from './project';
import { workspace } from './workspace';

export const zh: Texts<Words> = { ...common, platform, project, workspace };
