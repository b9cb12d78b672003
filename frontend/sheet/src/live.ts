// Receives new versions of a sheet and its present users on a WebSocket, and reconnects when the connection breaks.

import type { Present } from "./presence";
import type { Changes } from "./types";

export interface LiveEvents {
  /** There is a newer version, with its changes if the server sent them. */
  version: (version: number, changes?: Changes) => void;
  /** The changes since a version, received before `version`. */
  changes: (since: number, changes: Changes) => void;
  /** Rows of a related sheet have changed. */
  related: () => void;
  /** Nothing is new since this version. */
  beat: (version: number) => void;
  present: (present: Present[]) => void;
  /** The connection was opened or lost. */
  open: (isOpen: boolean) => void;
  /** The server closed the socket on purpose: the session or the right to read has ended. */
  refused: () => void;
}

interface Message {
  version?: unknown;
  /** The server runs, but its database is not available. */
  away?: unknown;
  /** Rows of a related sheet have changed. */
  related?: unknown;
  /** A heartbeat. */
  beat?: unknown;
  present?: unknown;
  since?: unknown;
  changes?: unknown;
}

export const FIRST_WAIT = 400;
/** Every open page is up to date again within five seconds after the server is back. */
export const MAX_WAIT = 2500;
/** The server sends a message at least every four seconds; after this silence the connection counts as lost. */
export const MAX_SILENCE = 7000;
/** After a refusal the user must sign in again, or the sheet must be shared again. */
const REFUSED_WAIT = 15_000;
const REFUSALS = new Set([4401, 4404, 4429]);

export class Live {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private receivedAt = 0;
  private wait = FIRST_WAIT;
  private isOpen = false;
  private ended = false;

  constructor(
    private url: string,
    private events: LiveEvents,
  ) {
    window.addEventListener("online", this.reconnect);
    document.addEventListener("visibilitychange", this.onVisibilityChange);
    this.connect();
  }

  end(): void {
    this.ended = true;
    window.removeEventListener("online", this.reconnect);
    document.removeEventListener("visibilitychange", this.onVisibilityChange);
    this.closeSocket();
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Reconnect at once: the network is back or has changed, so the old connection is useless. */
  reconnect = (): void => {
    if (this.ended) return;
    this.wait = FIRST_WAIT;
    this.closeSocket();
    this.setOpen(false);
    this.connect();
  };

  /** The page is visible again, perhaps after the computer was suspended. */
  private onVisibilityChange = (): void => {
    if (!document.hidden && (!this.socket || Date.now() - this.receivedAt > MAX_SILENCE)) this.reconnect();
  };

  private connect(): void {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url.replace(/^http/, "ws"));
    this.socket = socket;
    socket.onmessage = (message) => this.onMessage(String(message.data));
    socket.onclose = ({ code }) => this.onClose(code);
    this.restartSilenceTimer();
  }

  /** A connection that broke silently looks like an idle one: after MAX_SILENCE it is closed. */
  private restartSilenceTimer(): void {
    this.receivedAt = Date.now();
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.onClose(0), MAX_SILENCE);
  }

  private onMessage(text: string): void {
    this.restartSilenceTimer();
    const { version, away, beat, related, present, since, changes } = JSON.parse(text) as Message;
    if (Array.isArray(present)) this.events.present(present as Present[]);
    if (typeof version !== "number") return;
    this.wait = FIRST_WAIT;
    this.setOpen(!away);
    if (related) return this.events.related();
    if (typeof since === "number") this.events.changes(since, changes as Changes);
    if (beat) this.events.beat(version);
    else if (!away) this.events.version(version, changes as Changes | undefined);
  }

  private onClose(code: number): void {
    this.closeSocket();
    this.setOpen(false);
    if (REFUSALS.has(code)) {
      this.events.refused();
      this.wait = REFUSED_WAIT;
    }
    // The random factor keeps many browsers from reconnecting at the same moment.
    this.timer = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, MAX_WAIT);
  }

  private setOpen(isOpen: boolean): void {
    if (isOpen === this.isOpen) return;
    this.isOpen = isOpen;
    this.events.open(isOpen);
  }

  private closeSocket(): void {
    clearTimeout(this.timer);
    clearTimeout(this.silenceTimer);
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
