"""Debian's nginx with the configuration that we ship, before one or more servers of this machine."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.server.started import ROOT

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@contextmanager
def nginx(folder: Path, host: str, apps: list[int], port: int, plain: int) -> Iterator[None]:
    """Serve `host` on https at `port`, from the servers at these ports."""
    write_configuration(folder, host, apps, port, plain)
    command = [str(NGINX), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    running = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        wait_for(port)
        yield
    finally:
        running.terminate()
        running.wait(10)


def write_configuration(folder: Path, host: str, apps: list[int], port: int, plain: int) -> None:
    """What we ship, with this machine's ports and paths in place of the containers'."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for ours, here in {
        "server app:8501": f"server 127.0.0.1:{apps[0]}",
        "server app2:8501": f"server 127.0.0.1:{apps[-1]}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/nginx/contrivance-proxy.conf": str(ROOT / "deploy" / "contrivance-proxy.conf"),
        "/etc/nginx/certificates/": f"{folder}/",
    }.items():
        assert ours in site
        site = site.replace(ours, here)
    temporary = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"pid {folder}/nginx.pid; events {{}} http {{ access_log off; {temporary}\n{site}\n}}"
    (folder / "nginx.conf").write_text(main)
    subject = ["-subj", f"/CN={host}", "-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject],
        check=True,
        capture_output=True,
    )


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            httpx.get(f"https://127.0.0.1:{port}/", verify=False, headers={"Host": "nobody"})
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not answer")
