import { everywhere } from './everywhere';
import { me } from './me';
import { platform } from './platform';
import { project } from './project';
import { workspace } from './workspace';

export const en = { ...everywhere, me, platform, project, workspace };

/** Texts of the same keys, in another language. */
export type Texts<T> = { [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };
export type Words = typeof en;
