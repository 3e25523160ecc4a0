"""A small web site on this machine: it serves the pages and keeps what they tell of themselves."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGES = Path(__file__).with_name("pages")


class Site:
    """The address of the site, and what each page has told, by its path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: defaultdict[str, list[Any]] = defaultdict(list)
        self.address = ""

    def url(self, page: str) -> str:
        """Return the address of a page."""
        return f"{self.address}/{page}"

    def told(self, page: str) -> list[Any]:
        """Return all that a page has told, in order."""
        with self._lock:
            return list(self._told[f"/{page}"])

    def forget(self, page: str) -> None:
        """Forget what a page has told."""
        with self._lock:
            self._told.pop(f"/{page}", None)

    def hear(self, path: str, what: Any) -> None:
        """Keep what a page tells."""
        with self._lock:
            self._told[path].append(what)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, site: Site, **options: Any) -> None:
        self._site = site
        super().__init__(*arguments, **options)

    def do_POST(self) -> None:
        """Hear what a page tells of itself under ``/told/PAGE``."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._site.hear(self.path.removeprefix("/told"), json.loads(body or b"null"))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def open_site(folder: Path = PAGES) -> Iterator[Site]:
    """Serve a folder on a free port of this machine."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site=site, directory=str(folder)))
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="site", daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
