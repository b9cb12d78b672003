// The names of people: first those that the page has, then those of everybody that a cell may name.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Api } from "./api";
import type { Context } from "./format";

type Names = Record<string, string>;

/** The least time (ms) between two reads of the names. */
const READ_INTERVAL = 10_000;

/** The names for a view. The page of a public link has all names that its visitor may see, so none are read there. */
export function usePeople(api: Api, path: string, pageNames: Names, link: number | null): Pick<Context, "people" | "peoplePending" | "onMissingName"> {
  const [names, setNames] = useState<Names | null>(link === null ? null : {});
  const [reads, setReads] = useState(0);
  const readAt = useRef(0);
  useEffect(() => {
    if (link !== null) return;
    const reading = new AbortController();
    readAt.current = Date.now();
    api.request<{ people: Names }>(path, { signal: reading.signal }).then(
      ({ people }) => setNames(people),
      () => undefined, // They are read again when a name is missing.
    );
    return () => reading.abort();
  }, [api, path, link, reads]);
  const onMissingName = useCallback(() => {
    if (link !== null || Date.now() - readAt.current < READ_INTERVAL) return;
    readAt.current = Date.now();
    queueMicrotask(() => setReads((count) => count + 1));
  }, [link]);
  return useMemo(
    () => ({ people: { ...pageNames, ...names }, peoplePending: names === null, onMissingName }),
    [pageNames, names, onMissingName],
  );
}
