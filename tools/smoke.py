"""`make smoke`: whether a deployment works in your AWS account, with a stack of its own.

It deploys as `make deploy` does, opens the start page, verifies a number that the operator's mock confirms and one that
it does not, changes a setting and waits until the page shows it. At the end, whatever happened, it deletes the stack and
its secret. The region is that of your AWS settings, or AWS_REGION. The operator is Telefónica's sandbox with its mock
client; OPERATOR names another version of it or, with CLIENT_ID and CLIENT_SECRET, another operator that gives these two
numbers the same answers.
"""

import json
import os
import secrets
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
from botocore.exceptions import ClientError, WaiterError

import deploy as make_deploy

SANDBOX = "telefonica-sandbox"
MOCK_CLIENT = ("mock_sandbox_app_id", "mock_sandbox_app_secret")
NUMBERS = {"+34600000001": "verified", "+34600000002": "not_verified"}
# API Gateway and Lambda take some seconds until a change is everywhere.
PATIENCE = 60


class Failed(Exception):
    """What was expected, and what came."""


def main():
    client = tuple(os.environ.get(name) for name in ("CLIENT_ID", "CLIENT_SECRET"))
    operator = os.environ.setdefault("OPERATOR", SANDBOX)
    if not all(client):
        if not operator.startswith(SANDBOX) or any(client):
            sys.exit(f"make smoke: for {operator}, set CLIENT_ID and CLIENT_SECRET.")
        client = MOCK_CLIENT
    name = os.environ["STACK_NAME"] = f"{make_deploy.STACK}-smoke-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory() as folder:
        make_deploy.CONFIG, make_deploy.STAGE = Path(folder, "samconfig.toml"), "default"
        try:
            print(f"make smoke: deploying the stack {name}", flush=True)
            smoke(client)
        except Failed as failure:
            sys.exit(f"make smoke: FAILED: {failure}")
        except (EOFError, KeyboardInterrupt):
            sys.exit("\nmake smoke: stopped")
        finally:
            if make_deploy.CONFIG.exists():
                delete()
    print("make smoke: every step succeeded")


def smoke(client):
    outputs = make_deploy.deployed()
    region = make_deploy.read(make_deploy.CONFIG.read_text(encoding="utf-8"))[1]["region"]
    store(boto3.client("secretsmanager", region_name=region), outputs["ClientSecretArn"], client)
    wait_for_page(outputs["StartUrl"], "<form")
    say(f"the start page is at {outputs['StartUrl']}")
    for number, outcome in NUMBERS.items():
        verify(outputs, number, outcome)
        say(f"{number} is {outcome}")
    service = f"Smoke test {secrets.token_hex(3)}"
    config = make_deploy.CONFIG.read_text(encoding="utf-8")
    with_service = config.replace("parameter_overrides = [\n", f'parameter_overrides = [\n    "ServiceName={service}",\n')
    make_deploy.CONFIG.write_text(with_service, encoding="utf-8")
    print(f"make smoke: deploying with ServiceName={service}", flush=True)
    outputs = make_deploy.deployed()
    wait_for_page(outputs["StartUrl"], service)
    say("the start page shows the new ServiceName")


def store(manager, secret, client):
    """What the stack's output StoreClientSecret does."""
    members = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])
    members |= dict(zip(("client_id", "client_secret"), client))
    manager.put_secret_value(SecretId=secret, SecretString=json.dumps(members))
    say(f"the client {client[0]} is in the secret")


def wait_for_page(url, text):
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            status, _, page = Browser().open(url)
            saw = f"answered with {status}, without that text"
        except OSError as error:
            status, page, saw = None, "", f"could not be opened: {error}"
        if status == 200 and text in page:
            return
        if time.monotonic() > give_up:
            raise Failed(f"{url} should show {text!r}. For {PATIENCE} seconds it {saw}.")
        time.sleep(1)


def verify(outputs, number, expected):
    """Starts a verification, and goes where the operator sends a browser, until the callback answers."""
    browser, callback = Browser(), outputs["CallbackUrl"]
    url = urllib.parse.urljoin(outputs["StartUrl"], "start")
    status, location, body = browser.open(url, form={"phone": number})
    for _ in range(10):
        if not location:
            break
        url = urllib.parse.urljoin(url, location)
        accept = "application/json" if url.startswith(callback) else "text/html"
        status, location, body = browser.open(url, accept=accept)
    host = urllib.parse.urlsplit(url).netloc
    if not url.startswith(callback):
        raise Failed(f"the operator should send the browser back to {callback}; {host} answered with {status}.")
    try:
        outcome = json.loads(body)["outcome"]
    except (ValueError, KeyError):
        raise Failed(f"the callback should answer in JSON with an outcome; {host} answered with {status}.") from None
    if outcome != expected:
        raise Failed(f"{number} should be {expected}, and is {outcome}: see the stack's log for the reason.")


class Browser:
    """Keeps each host's cookies, and leaves it to the caller to follow redirects."""

    class Here(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self):
        self.cookies = {}
        self.opener = urllib.request.build_opener(self.Here)

    def open(self, url, form=None, accept="text/html"):
        """The status, the location and the body of the answer."""
        cookies = self.cookies.setdefault(urllib.parse.urlsplit(url).netloc, {})
        headers = {"Accept": accept, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        body = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(url, body, {name: value for name, value in headers.items() if value})
        try:
            answer = self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as other_status:
            answer = other_status
        with answer:
            for cookie in answer.headers.get_all("set-cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                cookies[name.strip()] = value
            return answer.status, answer.headers.get("location"), answer.read().decode(errors="replace")


def delete():
    _, stack = make_deploy.read(make_deploy.CONFIG.read_text(encoding="utf-8"))
    name, region = stack["stack_name"], stack["region"]
    cloudformation = boto3.client("cloudformation", region_name=region)
    try:
        outputs = make_deploy.outputs(stack)
    except ClientError as error:
        if "does not exist" in str(error):
            say("there is no stack to delete")
            return
        sys.exit(f"make smoke: FAILED: whether the stack {name} in {region} is there cannot be read; delete it: {error}")
    print(f"make smoke: deleting the stack {name}", flush=True)
    try:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)
        # The stack leaves it behind, so that no real one is ever lost.
        if secret := outputs.get("ClientSecretArn"):
            manager = boto3.client("secretsmanager", region_name=region)
            manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    except (ClientError, WaiterError) as error:
        sys.exit(f"make smoke: FAILED: the stack {name} in {region} should be gone with its secret; delete them: {error}")
    say("the stack and its secret are deleted")


def say(done):
    print(f"make smoke: ok: {done}", flush=True)


if __name__ == "__main__":
    main()
