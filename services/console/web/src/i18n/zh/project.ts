export const project = {
  title: '项目',
} as const;
