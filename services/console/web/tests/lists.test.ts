import { describe, expect, it } from 'vitest';
import { allows } from '@/app/session';
import { bytes, type Node, rolesOf, troubles } from '@/pages/platform/node-object';
import { differing } from '@/templates/changed-rows';
import { toCsv } from '@/templates/export';
import { isName } from '@/templates/names';
import { permissionsOf } from '@/templates/permissions';

describe('rows that changed', () => {
  const one = { v: 1 };
  const two = { v: 2 };

  it('are those that are new or other', () => {
    const before = new Map([
      ['a', one],
      ['b', two],
    ]);
    const now = new Map([
      ['a', one],
      ['b', { v: 3 }],
      ['c', one],
    ]);
    expect(differing(before, now)).toEqual(new Set(['b', 'c']));
  });

  it('are none where the page is another one', () => {
    const now = new Map([
      ['x', one],
      ['y', two],
    ]);
    expect(differing(new Map([['a', one]]), now)).toEqual(new Set());
  });
});

describe('an exported list', () => {
  const columns = [
    { key: 'name', title: 'Name', cell: (each: string) => each },
    { key: 'more', title: 'a, "b"', cell: () => null, text: () => 'x\ny' },
  ];

  it('quotes what has to be', () => {
    expect(toCsv(columns, ['web'])).toBe('Name,"a, ""b"""\r\nweb,"x\ny"');
  });

  it.each(['=1+1', '+1', '-1', '@x'])('makes no formula of %s', (name) => {
    expect(toCsv(columns, [name])).toContain(`'${name}`);
  });
});

describe('permissions', () => {
  it('of several roles are listed once, with all their actions', () => {
    const roles = [
      { rules: [{ name: 'nodes', actions: ['view'] }] },
      {
        rules: [
          { name: 'nodes', actions: ['view', 'edit'] },
          { name: 'roles', actions: ['view'] },
        ],
      },
      {},
    ];
    expect(permissionsOf(roles)).toEqual([
      { name: 'nodes', actions: ['edit', 'view'] },
      { name: 'roles', actions: ['view'] },
    ]);
  });

  it('to manage include the others, and unknown rules allow nothing', () => {
    const rules = [{ name: 'workspaces', actions: ['manage'] }];
    expect(allows(rules, 'workspaces', 'delete')).toBe(true);
    expect(allows(rules, 'accounts', 'view')).toBe(false);
    expect(allows(undefined, 'workspaces', 'view')).toBe(false);
  });
});

describe('a node', () => {
  const node: Node = {
    metadata: { name: 'n', labels: { 'node-role.kubernetes.io/worker': '', other: '' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'Unknown' },
        { type: 'MemoryPressure', status: 'False' },
        { type: 'DiskPressure', status: 'True' },
      ],
    },
  };

  it('is in trouble where it is not ready, or a pressure is on it', () => {
    expect(troubles(node).map((each) => each.type)).toEqual(['Ready', 'DiskPressure']);
    expect(rolesOf(node)).toEqual(['worker']);
  });

  it.each([
    ['16384256Ki', '16 GiB'],
    ['1536Mi', '1.5 GiB'],
    ['512', '512 B'],
    ['nonsense', 'nonsense'],
    [undefined, '–'],
  ])('has a memory of %s, which reads as %s', (quantity, text) => {
    expect(bytes(quantity)).toBe(text);
  });
});

describe('a name', () => {
  it.each(['a', 'a-1', '0a'])('may be %s', (name) => expect(isName(name)).toBe(true));
  it.each(['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64)])('may not be %s', (name) => {
    expect(isName(name)).toBe(false);
  });
});
