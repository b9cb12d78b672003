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
export const LONGEST_WAIT = 2500;
/** The server says something every four seconds; who says nothing for longer is not there. */
export const SILENCE = 7000;
/** After a refusal only somebody who signs in again, or shares the sheet again, can help. */
const REFUSED_WAIT = 15_000;
const REFUSALS = new Set([4401, 4404, 4429]);

export class Live {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private wait = FIRST_WAIT;
  private isOpen = false;
  private ended = false;

  constructor(
    private url: string,
    private events: LiveEvents,
  ) {
    window.addEventListener("online", this.renew);
    document.addEventListener("visibilitychange", this.looked);
    this.connect();
  }

  end(): void {
    this.ended = true;
    window.removeEventListener("online", this.renew);
    document.removeEventListener("visibilitychange", this.looked);
    this.hangUp();
  }

  say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Call again at once: the network is back, or another one, and what the old line says is worth nothing. */
  renew = (): void => {
    if (this.ended) return;
    this.wait = FIRST_WAIT;
    this.hangUp();
    this.tell(false);
    this.connect();
  };

  /** Somebody looks at the page again, perhaps after a night's sleep. */
  private looked = (): void => {
    if (!document.hidden && (!this.socket || Date.now() - this.heardAt > SILENCE)) this.renew();
  };

  private connect(): void {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url.replace(/^http/, "ws"));
    this.socket = socket;
    socket.onmessage = (message) => this.hear(String(message.data));
    socket.onclose = ({ code }) => this.lost(code);
    this.listen();
  }

  /** A line that broke without a word looks like one on which nobody speaks: it is given up after a while. */
  private listen(): void {
    this.heardAt = Date.now();
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(0), SILENCE);
  }

  private hear(said: string): void {
    this.listen();
    const { version, away, beat, present, since, changes } = JSON.parse(said) as Message;
    if (Array.isArray(present)) this.events.present(present as Present[]);
    if (typeof version !== "number") return;
    this.wait = FIRST_WAIT;
    this.tell(!away);
    if (typeof since === "number") this.events.changes(since, changes as Changes);
    if (beat) this.events.beat(version);
    else if (!away) this.events.version(version, changes as Changes | undefined);
  }

  private lost(code: number): void {
    this.hangUp();
    this.tell(false);
    if (REFUSALS.has(code)) {
      this.events.refused();
      this.wait = REFUSED_WAIT;
    }
    // A random part keeps a room full of browsers from coming back in the same instant.
    this.timer = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private tell(isOpen: boolean): void {
    if (isOpen === this.isOpen) return;
    this.isOpen = isOpen;
    this.events.open(isOpen);
  }

  private hangUp(): void {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
