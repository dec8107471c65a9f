"""`make run`: the function, the sandbox and the demonstration shop on this machine, until Ctrl-C.

OPERATOR=telefonica-sandbox asks Telefónica's real sandbox instead, with the mock credentials that it publishes.
RELYING_PARTIES, a JSON list, registers further apps. OPERATORS is the function's, and the sandbox plays every operator in it
that has no base_url. REDIRECT_URI and AUTHORIZATION_ENDPOINT are for a proxy in front, under
whose addresses a browser finds the function and the sandbox. The shop needs what tools/requirements-run.txt installs.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

PORT = os.environ.get("PORT") or "9900"
SANDBOX_PORT = os.environ.get("SANDBOX_PORT") or "9901"
SHOP_PORT = os.environ.get("SHOP_PORT") or "9902"
FUNCTION_URL = f"http://127.0.0.1:{PORT}"
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SHOP_URL = f"http://127.0.0.1:{SHOP_PORT}"
REDIRECT_URI = os.environ.get("REDIRECT_URI") or f"{FUNCTION_URL}/numberverification-callback"
STARTED = f"""
  Open     {FUNCTION_URL}/
  Enter    +34600000001   verified
           +34600000002   does not match the mobile line
           +34600000003   not on the mobile network
           or tap “Use this phone’s number”: the operator names it
  Sandbox  {SANDBOX_URL}/   choose what the operator does next
  Shop     {SHOP_URL}/   an app whose users sign in with their number
  Stop     Ctrl-C
"""

# Telefónica's documentation publishes them: they need no account. The secret is served by our sandbox all the same.
MOCK_CLIENT = ["--client-id", "mock_sandbox_app_id", "--client-secret", "mock_sandbox_app_secret"]
AT_TELEFONICA = (os.environ.get("OPERATOR") or "").startswith("telefonica-sandbox")
TELEFONICA = """  Operator Telefónica's sandbox, on the Internet: a number ending in 1 verifies, in 2 does not, any other digit is random. Whether it
           accepts a callback on this machine is not documented; if it refuses, its page says so.
"""

SHOP = {
    "client_id": "shop",
    "client_secret": secrets.token_urlsafe(32),
    "redirect_uris": [f"{SHOP_URL}/callback"],
    "client_name": "Demo shop",
}
# As the sandbox knows it.
OUR_CLIENT = {"client_id": "my-app-id", "client_secret": "my-app-secret"}
# The function warns if there is none.
SUBJECT_KEY = "the sandbox's subject key, known to all"

children = {}


class Stop(Exception):
    """The reason to end, for the user; empty if the user asked for it."""


def main():
    try:
        on_signals(stop_asked)
        run()
    except Stop as stop:
        on_signals(signal.SIG_IGN)
        print(f"\n{stop}" if str(stop) else "\nStopping.", file=sys.stderr, flush=True)
        for child in reversed(children.values()):
            end(child)
        return 1 if str(stop) else 0


def run():
    check_port("PORT", PORT)
    check_port("SANDBOX_PORT", SANDBOX_PORT)
    check_port("SHOP_PORT", SHOP_PORT)
    clients = {name: OUR_CLIENT for name in several_operators()}
    members = {"relying_parties": [SHOP, *further_apps()], "subject_key": SUBJECT_KEY}
    if clients:
        members["operators"] = clients
    print("Building the sandbox and the function: about 3 minutes the first time, seconds after that.", flush=True)
    # Separately: cargo would unify the features of both, and `cargo lambda watch` would build again.
    for package in ("sandbox", "number-verification"):
        if start("build", ["cargo", "build", "--package", package]).wait() != 0:
            raise Stop(f"{package} does not build; the reason is above.")
        del children["build"]

    sandbox = ["cargo", "run", "--quiet", "--package", "sandbox", "--", "--port", SANDBOX_PORT]
    sandbox += MOCK_CLIENT if AT_TELEFONICA else []
    for callback in (REDIRECT_URI, *(f"{REDIRECT_URI}/{name}" for name in clients)):
        sandbox += ["--redirect-uri", callback]
    # Only apps' back ends need the key, and `phone` mode has none.
    sandbox += [] if os.environ.get("STATE_MODE") == "phone" else ["--private-key"]
    start("sandbox", sandbox + ["--secret-members", json.dumps(members)])
    wait_for("sandbox", SANDBOX_PORT, "/sandbox/health", 204)

    # --package: with two programs in the workspace, watch would serve neither of them at /.
    # --disable-cors: watch would allow every origin, and hide which ones the function itself allows.
    watch = ["cargo", "lambda", "watch", "--package", "number-verification", "--ignore-changes", "--disable-cors"]
    watch += ["--invoke-address", "127.0.0.1", "--invoke-port", PORT]
    function = start("function", watch, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    threading.Thread(target=show, args=[function], daemon=True).start()
    # Its standard output is only Flask's advice for production; what goes wrong is on the other stream.
    start("shop", [sys.executable, "examples/shop/shop.py"], env=shop_environment(), stdout=subprocess.DEVNULL)
    wait_for("function", PORT, "/", 200)
    wait_for("shop", SHOP_PORT, "/", 200)
    print(STARTED + (TELEFONICA if AT_TELEFONICA else ""), flush=True)
    while True:
        check_alive()
        time.sleep(0.2)


def check_port(variable, port):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            other = f"make run {variable}={int(port) - 1000}"
            raise Stop(f"Port {port} is in use. Free it (`lsof -i :{port}` shows its process) or use another: {other}")


def further_apps():
    try:
        apps = json.loads(os.environ.get("RELYING_PARTIES") or "[]")
    except json.JSONDecodeError as error:
        raise Stop(f"RELYING_PARTIES is not JSON: {error}.") from None
    if not isinstance(apps, list):
        raise Stop("RELYING_PARTIES must be a JSON list of apps, as in the secret's relying_parties.")
    return apps


def several_operators():
    try:
        operators = json.loads(os.environ.get("OPERATORS") or "{}")
        return {name: {"base_url": SANDBOX_URL} | settings for name, settings in operators.items()}
    except (json.JSONDecodeError, AttributeError, TypeError):
        raise Stop("OPERATORS must be a JSON object of JSON objects, one for each operator.") from None


def environment():
    # Without the user's AWS variables, because real credentials must not reach a sandbox.
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": SANDBOX_URL,
        "CLIENT_SECRET_ID": "number-verification",
        "REDIRECT_URI": REDIRECT_URI,  # Watch's events call the domain "localhost", without the port.
        # In the other mode, the function does not start with it.
        "RETRIEVE_NUMBER": "off" if os.environ.get("STATE_MODE") == "phone" else "on",
        **operator(),
    }


def operator():
    if several := several_operators():
        return {"OPERATORS": json.dumps(several)}
    if AT_TELEFONICA:
        return {}
    if not os.environ.get("AUTHORIZATION_ENDPOINT"):
        return {"OPERATOR_BASE_URL": SANDBOX_URL}
    # Beside a base, the function takes no authorization endpoint on another host.
    verify = f"{SANDBOX_URL}/number-verification/v0/verify"
    return {"OPERATOR_BASE_URL": "", "TOKEN_ENDPOINT": f"{SANDBOX_URL}/token", "VERIFY_ENDPOINT": verify}


def shop_environment():
    return os.environ | {
        "ISSUER": FUNCTION_URL,
        "CLIENT_ID": SHOP["client_id"],
        "CLIENT_SECRET": SHOP["client_secret"],
        "PORT": SHOP_PORT,
        "AUTHLIB_INSECURE_TRANSPORT": "1",  # The issuer is not https here.
        "NO_PROXY": "127.0.0.1",
    }


def start(name, command, **options):
    # In its own session, so that all its children end with it, and Ctrl-C does not reach it directly.
    children[name] = subprocess.Popen(command, start_new_session=True, **options)
    return children[name]


def show(function):
    for line in function.stdout:
        if line.startswith(("ERROR command exited", "ERROR command killed")):
            function.terminate()  # Otherwise watch would keep running, and every request would hang.
        elif not line.startswith(" INFO "):
            print(line, end="", flush=True)


def wait_for(name, port, path, expected):
    give_up = time.monotonic() + 120
    while (saw := status_of(port, path)) != expected:
        check_alive()
        if time.monotonic() > give_up:
            raise Stop(f"The {name} answered GET {path} with {saw}, not {expected}, for two minutes.")
        time.sleep(0.2)


def status_of(port, path):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
        # The function answers nothing else if ORIGIN_HEADER is set.
        connection.request("GET", path, headers={"x-origin-verify": os.environ.get("ORIGIN_HEADER", "")})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def check_alive():
    for name, child in children.items():
        if child.poll() is not None:
            raise Stop(f"The {name} ended; the reason is above.")


def end(child):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(timeout=5)
        except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            pass


def on_signals(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def stop_asked(*_):
    on_signals(signal.SIG_IGN)
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
