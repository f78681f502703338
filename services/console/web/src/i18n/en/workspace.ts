export const workspace = { title: 'Workspace' } as const;
