"""A proxy before the API server, which counts writes and kills an installer right after a chosen one.

It uses TLS and the rehearsal's administrator towards the API server, and plain HTTP on loopback towards its clients.
Writes are numbered in the order of the API server's answers. SQL passes through it as a port-forward, so an answer of
PostgreSQL that shows a write counts, too.
Promise: the chosen write is executed, but its answer is never delivered. After a write of a kind in ``moments``, all
others wait until the Lease has been renewed once, and the installer is killed right after that renewal.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bench.write_points import RENEWAL, Names, bookkeeping, kind
from fixtures.lease.stored import COLLECTION

LATEST = 30.0  # seconds within which a renewal has to come
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
# A CommandComplete whose tag shows a change: postgresql.org/docs/current/protocol-message-formats.html
WROTE = re.compile(rb"C\0\0\0[^\0](CREATE|INSERT|UPDATE|DELETE|ALTER|DROP|GRANT|COMMENT|COMMIT)[^\0]*\0")


class KillingProxy(ThreadingHTTPServer):
    """``written`` lists the writes of this run, ``told`` counts what they say; ``kill`` is called after write ``at``.

    ``kill`` is also called after the first write that says a name in ``left``, which is then counted down.
    ``bookkeeping``: writes of Lease and record count, too. Their number depends on the duration of a run.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, kubeconfig: Path, *, bookkeeping: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        self.target = urlsplit(cluster["server"]).netloc
        self.tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.tls.load_cert_chain(user["client-certificate"], user["client-key"])
        self.bookkeeping = bookkeeping
        self.written: list[str] = []
        self.told: Counter[str] = Counter()
        self.at = 0
        self.left: Counter[str] = Counter()
        self.moments: set[str] = set()  # kinds of writes; a renewal is awaited once after each
        self.renewed: list[str] = []  # the writes after which one came
        self.kill: Callable[[], None] = lambda: None
        self._names = Names()
        self._held = ""  # the write that waits for a renewal
        self._lock = threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.05,), name="killing proxy", daemon=True).start()

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wrote(self, method: str, path: str, body: bytes) -> bool:
        """Count a write of the API server; return whether its answer has to be dropped."""
        with self._lock:
            return self.count(self._names.of(method, path, body))

    def count(self, names: Sequence[str]) -> bool:
        """Count a write; return whether its answer has to be dropped."""
        with self._lock:
            self.written.append("; ".join(names))
            self.told.update(names)
            if not self._held and len(self.written) != self.at and not any(self.left[name] for name in names):
                return False
            self.left -= Counter(names)
            if self._held:  # a request that was already sent is executed, but not answered
                if RENEWAL in names:
                    self.renewed.append(self._held)
                    self._end()
                return True
            self._held = next((kind(name) for name in names if kind(name) in self.moments), "")
            self.moments.discard(self._held)
            if not self._held or not self._lock.wait_for(lambda: not self._held, LATEST):
                self._end()
            return True

    def _end(self) -> None:
        self._held = ""
        self.kill()
        self._lock.notify_all()

    def waits(self) -> bool:
        """If a renewal is awaited, wait until the installer is dead; return whether it was."""
        with self._lock:
            awaited = bool(self._held)
            self._lock.wait_for(lambda: not self._held, LATEST)
            return awaited

    def connection(self) -> http.client.HTTPSConnection:
        """Connect to the API server."""
        return http.client.HTTPSConnection(self.target, context=self.tls, timeout=660)

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: connections of a killed client end in the middle."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client, with one to the API server behind it."""

    protocol_version = "HTTP/1.1"
    server: KillingProxy
    upstream: http.client.HTTPSConnection | None = None

    def do_GET(self) -> None:
        """Pass the request on, and its answer unless it was the chosen write."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Upgrade"):
            self._tunnel()
            return
        lease = self.path.startswith(COLLECTION)
        if self._writes() and not lease and self.server.waits():
            self.close_connection = True
            return
        answer = self._answer(body)
        if "watch=" in self.path or "follow=" in self.path:
            self._stream(answer)
            return
        content = answer.read()
        path = urlsplit(self.path).path
        if self._writes() and answer.status < 300 and self.server.wrote(self.command, path, body):
            self.close_connection = True
            return
        self._head(answer)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _writes(self) -> bool:
        path, _, query = self.path.partition("?")
        passed_over = path.endswith("reviews") or (bookkeeping(path) and not self.server.bookkeeping)
        return self.command != "GET" and "dryRun=" not in query and not passed_over

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def finish(self) -> None:
        """Close the connection to the API server together with the client's."""
        super().finish()
        if self.upstream is not None:
            self.upstream.close()

    def _answer(self, body: bytes) -> http.client.HTTPResponse:
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        fresh = self.upstream is None
        self.upstream = self.upstream or self.server.connection()
        try:
            self.upstream.request(self.command, self.path, body or None, headers)
            return self.upstream.getresponse()
        except (OSError, http.client.HTTPException):
            self.upstream.close()
            self.upstream = None
            if fresh:
                raise
        return self._answer(body)  # the API server had closed the connection

    def _head(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in HOP_BY_HOP:
                self.send_header(key, value)

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        self._head(answer)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        while chunk := answer.read1(65536):
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _tunnel(self) -> None:
        """Forward a port-forward unchanged, and count its messages."""
        upstream = self.server.connection()
        upstream.connect()
        head = f"{self.command} {self.path} HTTP/1.1\r\n"
        head += "".join(f"{key}: {value}\r\n" for key, value in self.headers.items()) + "\r\n"
        upstream.sock.sendall(head.encode())
        answers = (upstream.sock, self.connection, True)
        thread = threading.Thread(target=self._copy, args=answers, daemon=True)
        thread.start()
        self._copy(self.connection, upstream.sock, counted=False)
        thread.join()
        self.close_connection = True
        upstream.close()

    def _copy(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:  # noqa: FBT001 - of a thread
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                tag = WROTE.search(data) if counted else None
                if tag and self.server.count([f"SQL {tag[1].decode()}"]):
                    break
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
