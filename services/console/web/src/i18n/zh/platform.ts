import type { Texts } from '../en';
import type { platform as english } from '../en/platform';

export const platform: Texts<typeof english> = {
  workspaces: {
    title: '企业空间',
    about: '企业空间用于存放团队的项目，并决定成员的权限。',
    create: '创建企业空间',
    emptyTitle: '还没有企业空间',
    emptyBody: '企业空间包含团队的项目和成员。',
  },
};
