import type { Texts } from '../en';
import type { projectKinds as english } from '../en/project-kinds';

export const projectKinds: Texts<typeof english> = {
  deployments: {
    one: '部署',
    many: '部署',
    about: '运行任意数量的相同容器组，更改时逐步替换。',
    create: '创建部署',
    empty: '还没有部署',
  },
  statefulsets: {
    one: '有状态副本集',
    many: '有状态副本集',
    about: '运行各自保有名称和存储卷的容器组。',
    create: '创建有状态副本集',
    empty: '还没有有状态副本集',
  },
  daemonsets: {
    one: '守护进程集',
    many: '守护进程集',
    about: '在每个节点上运行一个容器组。',
    create: '创建守护进程集',
    empty: '还没有守护进程集',
  },
  jobs: {
    one: '任务',
    many: '任务',
    about: '运行容器组直到工作完成。',
    create: '创建任务',
    empty: '还没有任务',
  },
  cronjobs: {
    one: '定时任务',
    many: '定时任务',
    about: '按时间启动任务。',
    create: '创建定时任务',
    empty: '还没有定时任务',
  },
  pods: {
    one: '容器组',
    many: '容器组',
    about: '一起运行的一个或多个容器，由工作负载创建。',
    create: '创建容器组',
    empty: '还没有容器组',
  },
  services: {
    one: '服务',
    many: '服务',
    about: '为来去不定的容器组提供固定的地址。',
    create: '创建服务',
    empty: '还没有服务',
  },
  ingresses: {
    one: '应用路由',
    many: '应用路由',
    about: '按域名和路径将外部请求转发到服务。',
    create: '创建应用路由',
    empty: '还没有应用路由',
  },
  persistentvolumeclaims: {
    one: '存储卷',
    many: '存储卷',
    about: '比容器组存在更久的存储。',
    create: '创建存储卷',
    empty: '还没有存储卷',
  },
  configmaps: {
    one: '配置',
    many: '配置',
    about: '容器组以文件或变量读取的设置。',
    create: '创建配置',
    empty: '还没有配置',
  },
  secrets: {
    one: '密钥',
    many: '密钥',
    about: '供容器组使用的密码、密钥和证书。值默认被遮盖。',
    create: '创建密钥',
    empty: '还没有密钥',
  },
  serviceaccounts: {
    one: '服务帐户',
    many: '服务帐户',
    about: '容器组与集群通信时的身份。',
    create: '创建服务帐户',
    empty: '还没有服务帐户',
  },
};
