"""docs/openapi.yaml describes the running function: each answer is described there, each described answer is given, and
the examples are real answers."""

import re
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from conftest import FALLBACK_URL
from product import CHECKOUT
from ways import VERIFIED, WAYS, refusal

FILE = CHECKOUT / "docs/openapi.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text())
REGISTRY = Registry().with_resource("urn:openapi", Resource(DOCUMENT, DRAFT202012))
CALLBACK = "/numberverification-callback"
HTML, JSON = "text/html", "application/json"
# These belong to HTTP and the emulator; OpenAPI describes Content-Type beside the schema.
TRANSPORT = {"content-length", "content-type", "date", "connection"}
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

    def start(self, phone, **options):
        body = urllib.parse.urlencode({"phone": phone})
        return self.request("POST", self.product.url + "/start", body=body, **options)

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
        return yaml.safe_load(self.body)

    def described(self):
        """The place of this answer in the document, as a JSON pointer; found by the most exact name."""
        paths = DOCUMENT["paths"]
        path = self.path if self.path in paths else "/{anythingElse}"
        responses = paths[path][self.method]["responses"]
        status = str(self.status) if str(self.status) in responses else f"{self.status // 100}XX"
        assert status in responses, f"{self.method} {path} {self.status} is not described"
        return followed("/paths/" + "/".join(escape(part) for part in (path, self.method, "responses", status)))


def escape(part):
    return part.replace("~", "~0").replace("/", "~1")


def at(pointer):
    found = DOCUMENT
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def followed(pointer):
    """The pointer itself, or where its $ref leads."""
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

    media_type = answer.media_type()
    if media_type not in described["content"]:
        return found + [f"{media_type} is not described"], None
    schema = f"{place}/content/{escape(media_type)}/schema"
    if media_type.endswith("json"):
        found += faults(answer.json(), schema)
        found += [f"{name} is not described" for name in answer.json().keys() - at(followed(schema))["properties"].keys()]
    else:
        found += faults(answer.body, schema)
    return found, (place, media_type)


def test_the_document_is_openapi():
    validate(DOCUMENT)


def examples():
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                for media_type, content in response.get("content", {}).items():
                    for name, example in content.get("examples", {}).items():
                        parts = ("paths", path, method, "responses", status, "content", media_type, "schema")
                        yield name, example["value"], "/" + "/".join(map(escape, parts))


@pytest.mark.parametrize(("name", "value", "schema"), list(examples()), ids=lambda value: value if isinstance(value, str) else "")
def test_each_example_matches_its_schema(name, value, schema):
    assert faults(value, schema) == []


@pytest.mark.parametrize("outcome", WAYS)
def test_each_outcome_is_answered_like_its_example(product, outcome):
    answer = answer_of(product, outcome, JSON)
    assert check(answer)[0] == []
    example = next(value for name, value, _ in examples() if name == outcome)
    assert answer.json() == example
    assert example.get("fallback_url", FALLBACK_URL) == FALLBACK_URL


def test_all_that_is_described_is_answered_and_nothing_else(product):
    client = Client(product)
    answers = [
        client.get("/"),
        client.get("/nowhere"),
        client.get("/nowhere", accept=HTML),
        client.start(VERIFIED),
        client.start(VERIFIED, accept=HTML),
        client.start("600"),
        client.start("600", accept=HTML),
        client.start(VERIFIED, origin="https://evil.example"),
        client.start(VERIFIED, accept=HTML, origin="https://evil.example"),
    ]
    for method, path in (("POST", "/"), ("GET", "/start"), ("POST", CALLBACK)):
        answers += [client.request(method, product.url + path, accept=accept) for accept in (HTML, JSON)]
    for outcome in WAYS:
        product.as_usual()
        answers += [answer_of(product, outcome, accept) for accept in (HTML, JSON)]

    seen = set()
    for answer in answers:
        found, place = check(answer)
        assert found == [], f"{answer.method} {answer.path} {answer.status}"
        seen.add(place)
    # A start cannot fail here, because the secret is cached; `misconfigured_where_there_is_no_secret` covers that.
    unseen = set(described_places()) - seen
    assert {place for place, _ in unseen} <= {"/paths/~1start/post/responses/5XX"}


def described_places():
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for status in operation["responses"]:
                place = followed("/paths/" + "/".join(map(escape, (path, method, "responses", status))))
                for media_type in at(place)["content"]:
                    yield place, media_type


def answer_of(product, outcome, accept):
    """The callback's answer with this outcome."""
    way, client = WAYS[outcome], Client(product)
    way.operator(product)
    if outcome == "operator_refused":
        return client.request("GET", refusal(client.start(way.number).json()["authorization_url"]), accept)
    url = client.callback_url(way.number)
    if outcome == "invalid_request":
        url = re.sub("code=[^&]*", "code=", url)
    if outcome == "invalid_state":
        url = url.replace("state=A", "state=B")
    if outcome == "wrong_browser":
        client.cookies.clear()
    return client.request("GET", url, accept)


def test_the_words_of_a_problem_are_in_the_reader_s_language(product):
    answer = Client(product).start("600", **{"accept-language": "de-CH, fr;q=0.9"})
    assert answer.headers["content-language"] == ["de"]
    assert answer.json()["detail"] == "Beginnen Sie mit + und der Landesvorwahl, zum Beispiel +49."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept", "application/json;q=" + "9" * 2000),
        ("accept", ",;,;q=,=;/, */*;q=NaN"),
        ("accept-language", ",".join(f"x{n};q=0.{n}" for n in range(900))),
        ("accept-language", "-" * 6000),
        ("accept-language", "<script>, de'; --"),
        ("accept-language", "*;q=-1, ../../en;q=1e999"),
    ],
)
def test_no_header_makes_it_fail(product, name, value):
    # The emulator rejects headers that are not ASCII; `no_accept_header_makes_it_fail` sends those.
    for path, status in (("/", 200), (CALLBACK, 400)):
        answer = Client(product).get(path, **{name: value})
        assert answer.status == status
        assert check(answer)[0] == []
