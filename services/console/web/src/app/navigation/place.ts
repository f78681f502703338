/** Where somebody is, by the address: the platform, a workspace, a project of one. */
export interface Place {
  workspace: string;
  project: string;
}

export function placeOf(pathname: string): Place {
  const [, first, workspace = '', third, project = ''] = pathname.split('/').map(decodeURIComponent);
  if (first !== 'workspaces') return { workspace: '', project: '' };
  return { workspace, project: third === 'projects' ? project : '' };
}
