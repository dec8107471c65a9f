"""One window with a fresh profile, in Chromium, Firefox and WebKitGTK.

Of the browsers that Debian has, Playwright drives only Chromium. The others take WebDriver's commands
(https://www.w3.org/TR/webdriver2/): Firefox over its own protocol Marionette, because Debian has no geckodriver, and
WebKitGTK from WebKitWebDriver.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from playwright.sync_api import expect

import chromium
from product import free_ports

SECONDS = 20
# A W3C WebDriver names an element by this key.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Missing(Exception):
    """A program that is not installed, and its package."""


class Chromium:
    def __init__(self, browser, stack, proxy):
        options = {"proxy": {"server": proxy}, "ignore_https_errors": True, "viewport": chromium.PHONE, "locale": "en-GB"}
        self.context = browser.new_context(**options)
        stack.callback(self.context.close)
        self.page = self.context.new_page()

    def open(self, url):
        self.page.goto(url)

    def type(self, selector, text):
        self.page.locator(selector).fill(text)

    def click(self, selector):
        self.page.locator(selector).click()

    def wait_for_heading(self, text):
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text, timeout=SECONDS * 1000)

    def reload(self):
        self.page.reload()

    def back(self):
        self.page.go_back()

    def forward(self):
        self.page.go_forward()

    def address(self):
        return self.page.url

    def cookies(self):
        return self.context.cookies()


class WebDriver:
    """A window that takes WebDriver's commands. A subclass starts the browser, and sends them with `send`."""

    def open(self, url):
        self.send("Navigate", url=url)

    def type(self, selector, text):
        self.send("ElementSendKeys", id=self.find(selector), text=text)

    def click(self, selector):
        self.send("ElementClick", id=self.find(selector))

    def find(self, selector):
        return self.send("FindElement", using="css selector", value=selector)[ELEMENT]

    def wait_for_heading(self, text):
        give_up = time.monotonic() + SECONDS
        while (saw := self.heading()) != text:
            assert time.monotonic() < give_up, f"the heading is {saw!r}, not {text!r}, at {self.address()}"
            time.sleep(0.05)

    def heading(self):
        try:
            return self.send("ExecuteScript", script="return document.querySelector('h1')?.innerText", args=[])
        except Refused:
            return None  # One page is being replaced by the next.

    def reload(self):
        self.send("Refresh")

    def back(self):
        self.send("Back")

    def forward(self):
        self.send("Forward")

    def address(self):
        return self.send("GetCurrentURL")

    def cookies(self):
        return self.send("GetCookies")


class Refused(Exception):
    """The browser's answer to a command that it cannot carry out."""


class Firefox(WebDriver):
    def __init__(self, stack, proxy):
        program = os.environ.get("FIREFOX") or installed("firefox-esr", "firefox-esr", "firefox")
        profile = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        # With port 0 it takes a free one, and writes down which.
        (profile / "user.js").write_text('user_pref("marionette.port", 0);\nuser_pref("intl.accept_languages", "en");\n')
        command = [program, "--marionette", "--headless", "--no-remote", "--profile", profile]
        started = stack.enter_context(running(command))
        port = wait_for(started, lambda: (profile / "MarionetteActivePort").read_text())
        self.socket = stack.enter_context(socket.create_connection(("127.0.0.1", int(port)), timeout=SECONDS))
        self.answers = stack.enter_context(self.socket.makefile("rb"))
        self.receive()  # The greeting.
        proxies = {"proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy}
        self.send("NewSession", acceptInsecureCerts=True, proxy=proxies)

    def send(self, command, **parameters):
        message = json.dumps([0, 0, f"WebDriver:{command}", parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.receive()
        if error:
            raise Refused(error["message"])
        return result.get("value") if isinstance(result, dict) else result

    def receive(self):
        size = b"".join(iter(lambda: self.answers.read(1), b":"))
        return json.loads(self.answers.read(int(size)))


class WebKitGTK(WebDriver):
    PATHS = {
        "Navigate": "POST /url",
        "GetCurrentURL": "GET /url",
        "Refresh": "POST /refresh",
        "Back": "POST /back",
        "Forward": "POST /forward",
        "FindElement": "POST /element",
        "ElementClick": "POST /element/{id}/click",
        "ElementSendKeys": "POST /element/{id}/value",
        "ExecuteScript": "POST /execute/sync",
        "GetCookies": "GET /cookie",
    }

    def __init__(self, stack, proxy):
        driver, server = installed("webkit2gtk-driver", "WebKitWebDriver"), installed("xvfb", "Xvfb")
        reader, writer = os.pipe()
        with open(reader) as display, open(writer) as said:
            command = [server, "-displayfd", str(writer), "-nolisten", "tcp", "-screen", "0", "480x960x24"]
            stack.enter_context(running(command, pass_fds=[writer]))
            said.close()
            number = display.readline().strip()
        (port,) = free_ports(1)
        # The pages are in English with this locale.
        environment = os.environ | {"DISPLAY": f":{number}", "GDK_BACKEND": "x11", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
        started = stack.enter_context(running([driver, f"--port={port}"], env=environment))
        self.url = f"http://127.0.0.1:{port}"
        wait_for(started, lambda: self.request("GET /status"))
        # WebDriver's own setting of a proxy speaks TLS with the proxy itself.
        options = {"args": ["--automation", f"--proxy=http://{proxy}"]}
        capabilities = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        made = self.request("POST /session", {"capabilities": {"alwaysMatch": capabilities}})
        self.url += f"/session/{made['sessionId']}"
        stack.callback(self.request, "DELETE ")

    def send(self, command, **parameters):
        return self.request(self.PATHS[command].format(**parameters), parameters)

    def request(self, line, parameters={}):
        method, path = line.split(" ")
        body = json.dumps(parameters).encode() if method == "POST" else None
        request = urllib.request.Request(self.url + path, body, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Refused(error.read().decode()) from None


def installed(package, *names):
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise Missing(f"{' or '.join(names)} is not in PATH; on Debian: apt-get install {package}")
    return found


@contextlib.contextmanager
def running(command, **options):
    """Runs a program, and ends it with all its children."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=SECONDS)


def wait_for(process, attempt):
    """Returns the attempt's result once it succeeds and is not empty."""
    give_up = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(OSError):
            if result := attempt():
                return result
        assert process.poll() is None, f"{process.args[0]} ended with {process.returncode}"
        assert time.monotonic() < give_up, f"{process.args[0]} does not start"
        time.sleep(0.05)
