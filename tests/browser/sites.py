"""Three sites with HTTPS in front of the running product: the function, the operator, and an app's own site.

They have other registrable domains, as in a deployment, and their names exist only in this proxy. A browser that uses it
reaches nothing else.
"""

import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

import apps

FUNCTION, OPERATOR, APP = "verify.example", "operator.example", "bank.example"
HOME, APP_HOME = f"https://{FUNCTION}/", f"https://{APP}/"
CALLBACK = f"{HOME}numberverification-callback"
# The settings of a product behind the proxy.
VARIABLES = {"REDIRECT_URI": CALLBACK, "AUTHORIZATION_ENDPOINT": f"https://{OPERATOR}/authorize"}
ICON = "<link rel=icon href=data:,>"
# The app's pages: one that starts a sign-in, and the one at its redirect URI.
APP_PAGES = {
    "/": f'<!doctype html>{ICON}<h1>The Bank</h1><a href="{HOME}authorize?{apps.request().replace("&", "&amp;")}">Sign in</a>',
    "/cb": f"<!doctype html>{ICON}<h1>Back at the bank</h1>",
}
# These belong to one connection (RFC 9110 §7.6.1), or are set anew.
NOT_FORWARDED = {"connection", "transfer-encoding", "keep-alive", "date", "server", "content-length"}


class Sites:
    """The proxy, until `close`."""

    def __init__(self, product):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(FUNCTION, OPERATOR, APP).configure_cert(tls)
        ports = {FUNCTION: product.port, OPERATOR: product.sandbox_port, APP: None}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        self.server.daemon_threads = True
        self.server.tls, self.server.ports, self.server.opened = tls, ports, []
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def opened(self, url):
        """How often a browser requested this address, with any query."""
        return self.server.opened.count(url)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The site to which a connection leads, once its CONNECT has said so.
    host = None

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        if port != "443" or host not in self.server.ports:
            return self.refuse()
        self.host = host
        self.send_response(200)
        self.end_headers()
        # Further requests of this connection come through TLS.
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.opened.append(f"https://{self.host}{path}")
        if port := self.server.ports.get(self.host):
            self.forward(port)
        elif self.host == APP and (page := APP_PAGES.get(path)):
            self.answer(200, [("content-type", "text/html")], page.encode())
        else:
            self.refuse()

    do_POST = do_GET

    def forward(self, port):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        backend = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            backend.request(self.command, self.path, body or None, dict(self.headers))
            answer = backend.getresponse()
            self.answer(answer.status, answer.getheaders(), answer.read())
        finally:
            backend.close()

    def refuse(self):
        self.answer(404, [], b"")

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in NOT_FORWARDED:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # The browser closed the connection, or does not want our certificate.

    def log_message(self, *_):
        pass
