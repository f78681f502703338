/**
 * Terminals in containers. A terminal lives on when its page is left, for a while, with all that it has printed:
 * who comes back finds it as it was.
 */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { get } from '@/api/client';
import { TERMINAL } from '@/api/paths';
import { stampStyles } from '@/theme/nonce';

export interface TerminalTarget {
  namespace: string;
  pod: string;
  container: string;
}

export type TerminalState =
  | { is: 'connecting' | 'open' }
  | {
      is: 'closed';
      /** In the words of who closed it; empty where nothing was said. */
      why: string;
      /** Whether it ended as asked, by `exit` or by leaving. */
      well: boolean;
    };

interface Message {
  Op: 'stdout' | 'toast';
  Data: string;
}

const ENDED_WELL = 1000;
const REFUSED = 1006;
/** What is left stays for this long. */
const LINGER_MS = 10 * 60_000;
const SCROLLBACK = 10_000;

export class TerminalSession {
  readonly element = document.createElement('div');
  state: TerminalState = { is: 'connecting' };
  private readonly terminal: Terminal;
  private readonly fit = new FitAddon();
  private socket: WebSocket | null = null;
  private opened = false;
  private leaving: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly target: TerminalTarget,
    private readonly onEnd: () => void,
  ) {
    this.element.className = 'ks-terminal-screen';
    stampStyles();
    this.terminal = new Terminal({
      scrollback: SCROLLBACK,
      fontSize: 13,
      cursorBlink: true,
      screenReaderMode: true,
      theme: { background: '#151515', foreground: '#e0e0e0' },
    });
    this.terminal.loadAddon(this.fit);
    this.terminal.onData((data) => this.send({ Op: 'stdin', Data: data }));
    this.terminal.onResize(({ cols, rows }) => this.send({ Op: 'resize', Cols: cols, Rows: rows }));
    this.terminal.attachCustomKeyEventHandler((event) => !this.copies(event));
  }

  /** Shows it in `host`; gives what takes it away again. */
  attach(host: HTMLElement): () => void {
    clearTimeout(this.leaving);
    host.append(this.element);
    if (!this.terminal.element) this.terminal.open(this.element);
    const observer = new ResizeObserver(() => this.fit.fit());
    observer.observe(host);
    if (this.socket === null && this.state.is === 'connecting') this.connect();
    this.terminal.focus();
    return () => {
      observer.disconnect();
      this.element.remove();
      this.leaving = setTimeout(() => this.end(), LINGER_MS);
    };
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Opens a shell, after what was printed so far. */
  connect(): void {
    this.set({ is: 'connecting' });
    this.opened = false;
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${window.location.host}${this.path}`);
    this.socket = socket;
    socket.onopen = () => {
      this.opened = true;
      this.set({ is: 'open' });
      this.send({ Op: 'resize', Cols: this.terminal.cols, Rows: this.terminal.rows });
    };
    socket.onmessage = (event) => this.take(JSON.parse(String(event.data)) as Message);
    socket.onclose = (event) => void this.closed(socket, event);
  }

  end(): void {
    clearTimeout(this.leaving);
    this.socket?.close();
    this.terminal.dispose();
    this.onEnd();
  }

  clear(): void {
    this.terminal.clear();
    this.terminal.focus();
  }

  private get path(): string {
    const { namespace, pod, container } = this.target;
    const address = `${TERMINAL}/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
    return `${address}?container=${encodeURIComponent(container)}`;
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private take(message: Message): void {
    if (message.Op === 'stdout') this.terminal.write(message.Data);
    else this.terminal.write(`\r\n\x1b[33m${message.Data}\x1b[0m\r\n`);
  }

  private async closed(socket: WebSocket, event: CloseEvent): Promise<void> {
    if (this.socket !== socket) return;
    this.socket = null;
    const refused = !this.opened && event.code === REFUSED;
    const why = refused ? await this.reason() : event.reason;
    this.set({ is: 'closed', why, well: event.code === ENDED_WELL });
  }

  /** A browser is not told why a WebSocket was refused: the same address says so to who just asks. */
  private reason(): Promise<string> {
    return get(this.path).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  /** Ctrl-Shift-C copies, as terminals have it; Ctrl-C is for the command. */
  private copies(event: KeyboardEvent): boolean {
    const isCopy = event.type === 'keydown' && event.ctrlKey && event.shiftKey && event.code === 'KeyC';
    if (isCopy && this.terminal.hasSelection()) {
      void navigator.clipboard.writeText(this.terminal.getSelection());
      event.preventDefault();
    }
    return isCopy;
  }

  private set(state: TerminalState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

const sessions = new Map<string, TerminalSession>();

/** The terminal in a container: the one that is there, or a new one. */
export function terminalIn(target: TerminalTarget): TerminalSession {
  const key = `${target.namespace}/${target.pod}/${target.container}`;
  const found = sessions.get(key) ?? new TerminalSession(target, () => sessions.delete(key));
  sessions.set(key, found);
  return found;
}
