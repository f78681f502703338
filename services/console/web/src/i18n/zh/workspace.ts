export const workspace = { title: '企业空间' };
