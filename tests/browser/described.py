"""docs/openapi.yaml, programs that send requests, and the comparison of their answers with it."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from product import CHECKOUT
from ways import WAYS, refusal

FILE = CHECKOUT / "docs/openapi.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text())
REGISTRY = Registry().with_resource("urn:openapi", Resource(DOCUMENT, DRAFT202012))
CALLBACK = "/numberverification-callback"
WRONG_BROWSER, OF_OPERATOR = CALLBACK + "/wrong_browser", CALLBACK + "/{operator}"
HTML, JSON = "text/html", "application/json"
FORM = "application/x-www-form-urlencoded"
# These belong to HTTP and the emulator. OpenAPI describes Content-Type next to the schema.
TRANSPORT = {"content-length", "content-type", "date", "connection"}
# The operators of `several_product`: the sandbox twice, and one that nobody reaches.
OPERATORS = {
    "es": {"prefixes": ["+34"]},
    "fr": {"prefixes": ["+33"]},
    "de": {"prefixes": ["+49"], "discovery_url": "http://127.0.0.1:1/openid-configuration"},
}
CORRELATOR = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


class Client:
    """A program with cookies that does not follow redirects."""

    def __init__(self, product):
        self.product, self.cookies = product, {}

    def request(self, method, url, accept=JSON, body=None, **headers):
        headers = {"accept": accept, "x-correlator": CORRELATOR} | headers
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = urllib.request.Request(url, body and body.encode(), headers, method=method)
        try:
            answer = OPENER.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            answer = Answer(method, urllib.parse.urlsplit(url).path, answer)
        for line in answer.headers.get("set-cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def get(self, path, **options):
        return self.request("GET", self.product.url + path, **options)

    def post(self, path, body, **options):
        return self.request("POST", self.product.url + path, body=body, **options)

    def start(self, phone, **options):
        return self.post_start(urllib.parse.urlencode({"phone": phone}), **options)

    def post_start(self, body, **options):
        """Starts a verification as a script of our own page does, which gets a cookie."""
        return self.post("/start", body, **{"sec-fetch-site": "same-origin"} | options)

    def callback_url(self, phone):
        """The address that the operator redirects the browser to."""
        return self.request("GET", self.start(phone).json()["authorization_url"]).headers["location"][0]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


class Answer:
    def __init__(self, method, path, answer):
        self.method, self.path, self.status = method.lower(), path, answer.status
        self.headers = {}
        for name, value in answer.headers.items():
            self.headers.setdefault(name.lower(), []).append(value)
        self.body = answer.read().decode()

    def media_type(self):
        return self.headers["content-type"][0].split(";")[0]

    def json(self):
        return json.loads(self.body)

    def described(self):
        """The place of this answer in the document, as a JSON pointer; found by the most exact name."""
        paths = DOCUMENT["paths"]
        status, path = str(self.status), "/{anythingElse}"
        if self.path in paths:
            path = self.path
        elif self.path.removeprefix(CALLBACK + "/") in OPERATORS:
            path = OF_OPERATOR
        responses = paths[path].get(self.method, {}).get("responses", {})
        assert status in responses, f"{self.method} {path} {status} is not described"
        return followed("/paths/" + "/".join(escape(part) for part in (path, self.method, "responses", status)))


def escape(part):
    return part.replace("~", "~0").replace("/", "~1")


def at(pointer):
    found = DOCUMENT
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def followed(pointer):
    """The pointer itself, or the target of its $ref."""
    reference = at(pointer).get("$ref")
    return reference.removeprefix("#") if reference else pointer


def faults(value, pointer):
    validator = Draft202012Validator({"$ref": f"urn:openapi#{urllib.parse.quote(pointer)}"}, registry=REGISTRY)
    return [f"{pointer}: {error.message}" for error in validator.iter_errors(value)]


def check(answer):
    """Compares an answer with its description. Returns the differences and the description's place and media type."""
    place = answer.described()
    described = at(place)
    names = {name.lower(): name for name in described["headers"]}
    found = [f"{name} is not described" for name in answer.headers.keys() - names.keys() - TRANSPORT]
    for lower, name in names.items():
        pointer = followed(f"{place}/headers/{escape(name)}")
        if lower not in answer.headers and at(pointer).get("required"):
            found.append(f"{name} is missing")
        for value in answer.headers.get(lower, []):
            found += faults(value, f"{pointer}/schema")

    if "content" not in described:
        return found + ["a body is not described"] * bool(answer.body), (place, None)
    media_type = answer.media_type()
    if media_type not in described["content"]:
        return found + [f"{media_type} is not described"], None
    schema = f"{place}/content/{escape(media_type)}/schema"
    if media_type.endswith("json"):
        found += faults(answer.json(), schema)
        found += [f"{name} is not described" for name in answer.json().keys() - properties(schema)]
    else:
        found += faults(answer.body, schema)
    return found, (place, media_type)


def properties(schema):
    """The names that an object of this schema may have."""
    place = followed(schema)
    kinds = at(place).get("oneOf", [{"$ref": f"#{place}"}])
    return set().union(*(at(kind["$ref"].removeprefix("#"))["properties"] for kind in kinds))


def described_places():
    """The place of each described answer, and its media type; `None` if it has no body."""
    for path, operations in DOCUMENT["paths"].items():
        if path == OF_OPERATOR:
            continue  # Its answers are the callback's.
        for method, operation in operations.items():
            for status in operation["responses"]:
                place = followed("/paths/" + "/".join(map(escape, (path, method, "responses", status))))
                for media_type in at(place).get("content", [None]):
                    yield place, media_type


def examples():
    """The name of each example, its value, and the place of its schema."""
    for place, media_type in dict.fromkeys(described_places()):
        content = at(place)["content"][media_type] if media_type else {}
        for name, example in content.get("examples", {}).items():
            yield name, example["value"], f"{place}/content/{escape(media_type)}/schema"


EXAMPLES = {name: value for name, value, _ in examples()}


def started(client, number):
    """The address at the operator to which a user without an app is sent."""
    return client.start(number).json()["authorization_url"]


def answer_of(product, outcome, accept, authorization_url=started):
    """The callback's answer with this outcome."""
    way, client = WAYS[outcome], Client(product)
    way.operator(product)
    url = authorization_url(client, way.number)
    url = refusal(url) if outcome == "operator_refused" else client.request("GET", url).headers["location"][0]
    if outcome == "invalid_request":
        url = re.sub("code=[^&]*", "code=", url)
    if outcome == "invalid_state":
        url = url.replace("state=A", "state=B")
    if outcome == "wrong_browser":
        client.cookies.clear()
    return client.request("GET", url, accept)
