// Hears on a WebSocket of new versions of a sheet and of who is on it, and comes back by itself when the line breaks.

import type { Present } from "./presence";
import type { Changes } from "./types";

export interface LiveEvents {
  /** There is something new, up to this version; with what changed, where that was told. */
  version: (version: number, changes?: Changes) => void;
  /** What changed since a version, told before `version`. */
  changes: (since: number, changes: Changes) => void;
  /** Nothing is new since this version. */
  beat: (version: number) => void;
  present: (present: Present[]) => void;
  /** Whether changes are heard of now; told when it changes. */
  open: (isOpen: boolean) => void;
  /** The server closed the socket on purpose: the session or the right to read has ended. */
  refused: () => void;
}

interface Message {
  version?: unknown;
  /** The server is there, its database is not. */
  away?: unknown;
  /** Only a sign of life. */
  beat?: unknown;
  present?: unknown;
  since?: unknown;
  changes?: unknown;
}

export const FIRST_WAIT = 400;
/** Every open page is right again within five seconds of the server's return. */
export const MAX_WAIT = 2500;
/** The server says something every four seconds; who says nothing for longer is not there. */
export const MAX_SILENCE = 7000;
/** After a refusal only somebody who signs in again, or shares the sheet again, can help. */
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

  /** Call again at once: the network is back, or another one, and what the old line says is worth nothing. */
  reconnect = (): void => {
    if (this.ended) return;
    this.wait = FIRST_WAIT;
    this.closeSocket();
    this.setOpen(false);
    this.connect();
  };

  /** Somebody looks at the page again, perhaps after a night's sleep. */
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

  /** A line that broke without a word looks like one on which nobody speaks: it is given up after a while. */
  private restartSilenceTimer(): void {
    this.receivedAt = Date.now();
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.onClose(0), MAX_SILENCE);
  }

  private onMessage(text: string): void {
    this.restartSilenceTimer();
    const { version, away, beat, present, since, changes } = JSON.parse(text) as Message;
    if (Array.isArray(present)) this.events.present(present as Present[]);
    if (typeof version !== "number") return;
    this.wait = FIRST_WAIT;
    this.setOpen(!away);
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
    // A random part keeps a room full of browsers from coming back in the same instant.
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
