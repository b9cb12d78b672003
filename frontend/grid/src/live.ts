// Hears of new versions of a sheet on a WebSocket, and comes back by itself when the connection breaks.

export interface LiveEvents {
  version: (version: number) => void;
  open: (isOpen: boolean) => void;
  /** The server closed the socket on purpose: the session or the right to read has ended. */
  refused: () => void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const REFUSALS = new Set([4401, 4404]);

export class Live {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
  private ended = false;

  constructor(
    private url: string,
    private events: LiveEvents,
  ) {
    window.addEventListener("online", this.now);
    document.addEventListener("visibilitychange", this.now);
    this.connect();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.now);
    document.removeEventListener("visibilitychange", this.now);
    this.socket?.close();
  }

  /** Try again at once: the network is back, or somebody looks at the page again. */
  private now = (): void => {
    if (this.ended || this.socket || document.hidden) return;
    this.wait = FIRST_WAIT;
    clearTimeout(this.timer);
    this.connect();
  };

  private connect(): void {
    const socket = new WebSocket(this.url.replace(/^http/, "ws"));
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.events.open(true);
    };
    socket.onmessage = (message) => this.hear(String(message.data));
    socket.onclose = ({ code }) => this.lost(socket, code);
  }

  private hear(message: string): void {
    const { version } = JSON.parse(message) as { version?: unknown };
    if (typeof version === "number") this.events.version(version);
  }

  private lost(socket: WebSocket, code: number): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (this.ended) return;
    this.events.open(false);
    if (REFUSALS.has(code)) this.events.refused();
    // A random part keeps a room full of browsers from coming back in the same instant.
    this.timer = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }
}
