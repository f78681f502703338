export const platform = {
  workspaces: {
    title: 'Workspaces',
    about: 'A workspace is where a team keeps its projects and decides who may do what.',
    create: 'Create workspace',
    emptyTitle: 'No workspaces yet',
    emptyBody: 'A workspace holds the projects of a team and its members.',
  },
} as const;
