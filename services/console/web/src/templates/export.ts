/** The rows of a list as a file. */
import type { Column } from './list-table';

/** Has the browser save the rows as `<name>.csv` (RFC 4180). */
export function exportRows<T>(name: string, columns: readonly Column<T>[], items: readonly T[]): void {
  save(`${name}.csv`, toCsv(columns, items), 'text/csv');
}

export function toCsv<T>(columns: readonly Column<T>[], items: readonly T[]): string {
  const rows = items.map((item) => columns.map((column) => textOf(column, item)));
  return [columns.map((column) => column.title), ...rows]
    .map((row) => row.map(quoted).join(','))
    .join('\r\n');
}

function textOf<T>(column: Column<T>, item: T): string {
  if (column.text) return column.text(item);
  const cell = column.cell(item);
  return typeof cell === 'string' || typeof cell === 'number' ? String(cell) : '';
}

/** Spreadsheets run what begins like a formula: such a text is led by an apostrophe. */
function quoted(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Has the browser save `content` as the file `name`. */
export function save(name: string, content: string, type = 'text/plain'): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
