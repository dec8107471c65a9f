"""Programs without a browser: native apps, which finish at /complete, apps' back ends, which ask at /verify, and operators,
which read the client's keys."""

import json
import urllib.parse

import apps
from described import HTML, JSON, Client

COMPLETE, VERIFY = "/complete", "/verify"
CLIENT_JWKS = "/.well-known/client-jwks.json"
AS_JSON = {"content-type": JSON}
OPERATOR_TOKEN = "sandbox-operator-token"


class Program:
    """A program that has started a verification, and followed the redirects up to the callback."""

    def __init__(self, product, phone, **more):
        self.client = Client(product)
        body = urllib.parse.urlencode(({"phone": phone} if phone else {}) | more)
        self.started = self.client.post("/start", body)
        location = self.client.request("GET", self.started.json()["authorization_url"]).headers["location"][0]
        self.held = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        self.held["binding"] = self.started.json()["binding"]

    def complete(self, **changes):
        return self.client.post(COMPLETE, json.dumps(self.held | changes), **AS_JSON)


def verify(client, number="+34600000001", token=OPERATOR_TOKEN, secret=apps.SECRET, **options):
    body = {"client_id": "bank", "client_secret": secret, "phoneNumber": number, "operatorToken": token}
    return client.post(VERIFY, json.dumps(body), **AS_JSON | options)


def every_route(client, **options):
    """The answers of these routes and of the operator's, to requests that are well formed."""
    yield client.post(COMPLETE, "state=x", **options)
    yield verify(client, **options)
    yield client.get(CLIENT_JWKS, **options)


def every_answer(product):
    client = Client(product)
    program = Program(product, "+34600000001")
    yield program.started
    yield program.complete(binding="")
    yield program.complete(state="rubbish")
    yield program.complete()
    for path in (COMPLETE, VERIFY):
        yield client.get(path)
        yield client.post(path, "<x/>", **{"content-type": "application/xml"})
    for accept in (HTML, JSON):
        for method in ("GET", "HEAD", "POST"):
            yield client.request(method, product.url + CLIENT_JWKS, accept=accept)
    yield verify(client)
    yield verify(client, number="600")
    yield verify(client, secret="wrong")
