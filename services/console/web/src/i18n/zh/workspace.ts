import type { Texts } from '../en';
import type { workspace as english } from '../en/workspace';

export const workspace: Texts<typeof english> = {
  projects: {
    create: '创建项目',
    emptyTitle: '还没有项目',
    emptyBody: '项目是 Kubernetes 的命名空间，工作负载在其中运行。',
    deletes: '项目中的全部内容：工作负载、存储卷、应用路由、密钥',
    starting: '正在创建角色',
  },
  members: {
    invite: '邀请',
    inviteTitle: '邀请加入 {{workspace}}',
    inviteAbout: '被邀请者立即可见此企业空间。非其创建的项目需另行加入。',
    user: '帐户名',
    userHint: '本平台上已有的帐户。',
    role: '企业空间角色',
    change: '更改角色',
    removeAbout: '其在企业空间及项目中的角色',
    invited: '{{name}} 已成为成员',
    changed: '{{name}} 的角色已更改',
    emptyTitle: '没有成员',
    emptyBody: '请邀请在此工作的人员。',
  },
  roles: {
    admin: '管理员',
    regular: '普通成员',
    viewer: '观察者',
    title: '此企业空间中各角色的权限',
  },
  quotas: {
    title: '配额',
    about: '企业空间中每个项目的配额与用量。配额在项目中设置。',
    none: '没有配额',
  },
  overview: {
    projects: '项目',
    members: '成员',
    roles: '角色',
    quiet: '一切与声明一致。',
    edit: '编辑',
    delete: '删除企业空间',
    yourRights: '您在此处的权限',
    nothing: '您通过其中的项目看到此企业空间；其管理员可以邀请您。',
    managedBy: '由 {{name}} 管理',
  },
};
