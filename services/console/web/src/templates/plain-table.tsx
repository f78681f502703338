/** A small table without search or pages, such as stands in a card or a tab. */
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactNode } from 'react';

export interface PlainColumn<T> {
  title: string;
  cell: (item: T) => ReactNode;
  width?: 10 | 15 | 20 | 25 | 30 | 40 | 50;
}

interface PlainTableProps<T> {
  label: string;
  columns: PlainColumn<T>[];
  items: readonly T[];
  rowKey: (item: T) => string;
  /** Shown in place of the rows where there are none. */
  empty: string;
}

export function PlainTable<T>({ label, columns, items, rowKey, empty }: PlainTableProps<T>) {
  if (items.length === 0) return <p className="ks-subtle">{empty}</p>;
  return (
    <Table aria-label={label} variant="compact">
      <Thead>
        <Tr>
          {columns.map((column) => (
            <Th key={column.title} width={column.width}>
              {column.title}
            </Th>
          ))}
        </Tr>
      </Thead>
      <Tbody>
        {items.map((item) => (
          <Tr key={rowKey(item)}>
            {columns.map((column) => (
              <Td key={column.title} dataLabel={column.title}>
                {column.cell(item)}
              </Td>
            ))}
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
