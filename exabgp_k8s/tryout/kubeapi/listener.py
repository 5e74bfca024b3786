"""One listening TCP socket, a thread for each connection, TLS where asked for.

It can die as a process dies, every connection at once and in the middle of an answer, and come
back on the same address: what clients make of that is worth trying.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from exabgp_k8s.tryout.kubeapi import exchange


class Listener:
    """Accepts connections and has each request on them answered.

    Args:
        answer: answers one request; called in the connection's own thread.
        context: serve TLS with it; None: plain HTTP. A new one counts for new connections.
        sock: a listening socket, where the default, a free port of 127.0.0.1, will not do.
    """

    def __init__(
        self, answer: exchange.Answer, context: ssl.SSLContext | None, sock: socket.socket | None
    ) -> None:
        self.context = context
        self.is_running = False
        self._answer = answer
        self._sock = sock
        self._address: tuple[str, int] | None = None
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; they stay the same over a stop and a start."""
        if self._address is None:
            raise RuntimeError("the server has not been started yet")
        return self._address

    def start(self, sock: socket.socket | None) -> None:
        """Listen and serve, on the address of the first start unless given a socket."""
        sock = sock or self._sock
        if sock is None:
            address = self._address or ("127.0.0.1", 0)
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            sock = socket.create_server(address, family=family, backlog=128)
        host, port = sock.getsockname()[:2]
        self._address = (host, port)
        self._sock = sock
        self.is_running = True
        threading.Thread(target=self._accept, args=(sock,), daemon=True, name="accept").start()

    def stop(self) -> None:
        """Refuse connections from now on and end those that are open."""
        self.is_running = False
        with self._lock:
            sock, self._sock = self._sock, None
        if sock is not None:
            # close() alone does not wake the thread that waits in accept().
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.disconnect()

    def disconnect(self) -> None:
        """End every connection and go on serving."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            # The plain socket's shutdown: the one of SSLSocket is not for a second thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _accept(self, sock: socket.socket) -> None:
        while True:
            try:
                connection, address = sock.accept()
            except OSError:
                return
            client = f"{address[0]}:{address[1]}"
            threading.Thread(
                target=self._serve, args=(sock, connection, client), daemon=True, name=client
            ).start()

    def _serve(self, sock: socket.socket, connection: socket.socket, client: str) -> None:
        with contextlib.ExitStack() as stack:
            # A client that goes away, or does not trust the certificate, is its own business.
            stack.enter_context(contextlib.suppress(OSError, ValueError))
            stack.enter_context(connection)
            if self.context is not None:
                connection = stack.enter_context(
                    self.context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                )
            with self._lock:
                # One accepted just before stop() is not in the set that it ends, and must not be
                # served by whoever listens afterwards.
                if self._sock is not sock:
                    return
                self._connections.add(connection)
            stack.callback(self._forget, connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            exchange.Exchange(connection, client, self._answer)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)
