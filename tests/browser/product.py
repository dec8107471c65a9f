"""The running product: `make run` on free ports, and the sandbox's remote control."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

CHECKOUT = pathlib.Path(__file__).parents[2]
# The first start compiles and may wait for another cargo.
START_SECONDS = 900


class Product:
    """The function, its sandbox and the shop, with `variables` as an owner sets them."""

    def __init__(self, **variables):
        self.port, self.sandbox_port, self.shop_port = free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.shop_url = f"http://127.0.0.1:{self.shop_port}"
        self.callback_url = f"{self.url}/numberverification-callback"
        self.output = []
        self.serves = False
        self.settled = threading.Event()
        # cargo-lambda is installed next to this Python, which is not in PATH if the tests are started without make.
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port), "SHOP_PORT": str(self.shop_port)}
        self.process = subprocess.Popen(
            [sys.executable, CHECKOUT / "tools/run.py"],
            cwd=CHECKOUT,
            env=os.environ | variables | ports | {"PATH": path},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # The output is read continuously, because a full pipe would block the process.
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self):
        """Waits until the product serves requests."""
        self.settled.wait(START_SECONDS)
        if not self.serves:
            self.stop()
            raise RuntimeError("make run did not start:\n" + "".join(self.output))
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)

    def scenario(self, name):
        """Sets the operator's scenario from now on."""
        self._control("POST", "/sandbox/scenario", {"scenario": name})

    def script(self, leg, **answer):
        """Makes one endpoint of the operator return this answer."""
        self._control("POST", "/sandbox/script", {"leg": leg, **answer})

    def as_usual(self):
        """Resets the scenario, the scripts and the recorded requests."""
        self.scenario("by_number")
        for leg in ("authorize", "token", "verify", "device-phone-number"):
            self._control("DELETE", f"/sandbox/script/{leg}")
        self._control("DELETE", "/sandbox/requests")

    def asked(self, leg):
        """The number of requests to one endpoint of the operator."""
        served = json.loads(self._control("GET", "/sandbox/requests"))
        return sum(1 for request in served if request["leg"] == leg)

    def _control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.sandbox_url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)
            if line.strip().startswith("Stop "):
                self.serves = True
                self.settled.set()
        self.settled.set()


def free_ports(count):
    """Returns unused ports. All are held until the last is found, so that they differ."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
