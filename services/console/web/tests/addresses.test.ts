import { describe, expect, it } from 'vitest';
import { listParameters, resourcesPath } from '@/api/paths';
import { placeOf } from '@/app/navigation/place';
import { pathOf } from '@/app/object-path';
import { parseSearch, stringifySearch, withChanges } from '@/app/url-state';
import { safeNext } from '@/pages/sign-in/next';
import { readView } from '@/templates/list-state';

describe('the state in the address', () => {
  it('is flat text, without what is empty', () => {
    expect(parseSearch('?q=a%26b&empty=&page=2')).toEqual({ q: 'a&b', page: '2' });
    expect(stringifySearch({ q: 'a&b', page: '2', gone: '', never: undefined })).toBe('?q=a%26b&page=2');
    expect(stringifySearch({})).toBe('');
  });

  it('changes without losing the rest', () => {
    expect(withChanges({ q: 'a', page: '3' }, { page: '', sort: 'name' })).toEqual({ q: 'a', sort: 'name' });
  });

  it('counts as not said where it makes no sense', () => {
    const view = readView({ page: '-1', limit: '7', sort: '-name', role: 'x' }, { filters: ['role'] });
    expect(view).toMatchObject({
      page: 1,
      limit: 20,
      sort: 'name',
      descending: true,
      filters: { role: 'x' },
    });
    expect(readView({}, { sort: 'createTime', descending: true })).toMatchObject({
      sort: 'createTime',
      descending: true,
    });
  });
});

describe('what a service is asked', () => {
  it('names conditions, order and page as the services read them', () => {
    const query = {
      conditions: { 'name~': 'a,b', role: '' },
      orderBy: 'name',
      reverse: true,
      page: 2,
      limit: 20,
    };
    const parameters = new URLSearchParams(listParameters(query));
    expect(Object.fromEntries(parameters)).toEqual({
      conditions: 'name~a b',
      orderBy: 'name',
      reverse: 'true',
      paging: 'limit=20,page=2',
    });
  });

  it('has nothing to say about everything', () => {
    expect(listParameters({})).toBe('');
  });

  it('is of a namespace or of the cluster', () => {
    expect(resourcesPath('pods', 'a/b')).toMatch(/namespaces\/a%2Fb\/pods$/);
    expect(resourcesPath('nodes')).toMatch(/v1alpha2\/nodes$/);
  });
});

describe('where things are', () => {
  it('says the workspace and the project that an address is in', () => {
    expect(placeOf('/workspaces/w/projects/p/pods/x')).toEqual({ workspace: 'w', project: 'p' });
    expect(placeOf('/workspaces/w/members')).toEqual({ workspace: 'w', project: '' });
    expect(placeOf('/platform/nodes')).toEqual({ workspace: '', project: '' });
  });

  it('leads to an object that was found', () => {
    const found = { kind: '', displayName: '', name: 'web', namespace: 'demo' };
    expect(pathOf({ ...found, resource: 'deployments' })).toBe('/projects/demo/workloads/deployments/web');
    expect(pathOf({ ...found, resource: 'configmaps' })).toBe('/projects/demo/config/configmaps/web');
    expect(pathOf({ ...found, resource: 'nodes', namespace: '' })).toBe('/platform/nodes/web');
  });
});

describe('where the login leads', () => {
  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '',
    '/login?next=/login',
  ])('not to %s', (next) => expect(safeNext(next)).toBe('/'));

  it('back to an address of ours', () => {
    expect(safeNext('/platform/nodes?q=a')).toBe('/platform/nodes?q=a');
  });
});
