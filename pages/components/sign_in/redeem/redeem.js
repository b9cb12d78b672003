// Posts once to a session route of our own server and loads the page anew: the cookie is HttpOnly, so only the
// server can set or clear it, and only an answer to a request of this browser can carry it.
const done = new WeakSet();

export default function (component) {
  const { data, parentElement } = component;
  const said = parentElement.querySelector(".said");
  const again = parentElement.querySelector(".again");
  said.textContent = data.said;
  if (done.has(parentElement)) return;
  done.add(parentElement);
  const stop = (reason) => {
    said.textContent = reason;
    again.hidden = false;
    again.onclick = () => location.reload();
  };
  fetch(location.origin + data.path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data.body),
    credentials: "same-origin",
  })
    .then(async (answer) => {
      // Signed in, the same address shows what it was asked for; signed out, the way in stands at the root.
      if (answer.ok && data.stay) location.reload();
      else if (answer.ok) location.replace(location.origin + "/");
      else stop((await answer.json()).detail);
    })
    .catch(() => stop("The server does not answer. Try again in a moment."));
}
