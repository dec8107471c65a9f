"""The fixtures of all tests: the running product and a browser."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

import apps
import chromium
import sites
from described import OPERATORS
from product import Product

FALLBACK_URL = "https://shop.example/another-way"
# A green square.
LOGO = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI0MCIgaGVpZ2h0PSI0MCI+"
    "PHJlY3Qgd2lkdGg9IjQwIiBoZWlnaHQ9IjQwIiBmaWxsPSIjMGE2YjNkIi8+PC9zdmc+"
)


class Empty(BaseHTTPRequestHandler):
    """An empty page, for tests to run a front end's fetch in."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>front end</title><link rel=icon href=data:,>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def front_port():
    """A server that has two other origins: 127.0.0.1 with its port is allowed, localhost is not."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="session")
def products(front_port):
    """The function in both state modes, with several operators, and behind a proxy, started together."""
    products = {
        "sealed": Product(
            STATE_MODE="sealed",
            ALLOWED_ORIGINS=f"http://127.0.0.1:{front_port}",
            FALLBACK_URL=FALLBACK_URL,
            PRIVACY_URL="https://shop.example/privacy",
            RELYING_PARTIES=json.dumps(apps.RELYING_PARTIES),
        ),
        # The darkest accent possible, and no optional links.
        "phone": Product(STATE_MODE="phone", ACCENT_COLOR="#000000", LOGO_URL=LOGO),
        "several": Product(
            OPERATORS=json.dumps(OPERATORS),
            FALLBACK_URL=FALLBACK_URL,
            RELYING_PARTIES=json.dumps(apps.RELYING_PARTIES),
        ),
        "sites": Product(RELYING_PARTIES=json.dumps(apps.RELYING_PARTIES), **sites.VARIABLES),
    }
    try:
        for product in products.values():
            product.wait()
        yield products
    except RuntimeError as error:
        pytest.exit(str(error), returncode=1)
    finally:
        for product in products.values():
            product.stop()


@pytest.fixture
def product(products):
    """The function in its default mode, with the operator reset."""
    products["sealed"].as_usual()
    return products["sealed"]


@pytest.fixture
def phone_product(products):
    """The function in `phone` mode."""
    products["phone"].as_usual()
    return products["phone"]


@pytest.fixture
def several_product(products):
    """The function with the operators in `OPERATORS`."""
    products["several"].as_usual()
    return products["several"]


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright):
    browser = chromium.launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def new_context(browser):
    """Returns a function that opens a browser with a fresh profile: a phone in English, unless options say otherwise."""
    with contextlib.ExitStack() as stack:

        def new(**options):
            context = browser.new_context(**{"viewport": chromium.PHONE, "locale": "en-GB"} | options)
            context.set_default_timeout(15_000)
            stack.callback(context.close)
            return context

        yield new


@pytest.fixture
def page(new_context):
    """A tab that fails the test if the browser reports an error, or requests anything other than pages of this machine."""
    page = new_context().new_page()
    faults = []

    def said(message):
        # Chromium logs this for every page with a status of 400 or more, which is intended.
        if not message.text.startswith("Failed to load resource: the server responded with a status of"):
            faults.append(message.text)

    def asked(request):
        if request.url.startswith("data:"):
            return
        if request.resource_type != "document" or not request.url.startswith("http://127.0.0.1:"):
            faults.append(f"asked for a {request.resource_type}: {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", asked)
    yield page
    assert faults == []
