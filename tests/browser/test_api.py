"""docs/openapi.yaml describes the running function: each answer is described there, each described answer is given, and
the examples are real answers."""

import urllib.parse

import pytest
from openapi_spec_validator import validate

import apps
import programs
from conftest import FALLBACK_URL
from described import (
    CALLBACK,
    CORRELATOR,
    DOCUMENT,
    EXAMPLES,
    FORM,
    HTML,
    JSON,
    WRONG_BROWSER,
    Client,
    answer_of,
    check,
    described_places,
    examples,
    faults,
)
from product import Product
from ways import VERIFIED, WAYS

ORIGIN_HEADER = "x-origin-verify-of-the-tests"


def test_document_is_valid_openapi():
    validate(DOCUMENT)


@pytest.mark.parametrize(("name", "value", "schema"), list(examples()), ids=lambda value: value if isinstance(value, str) else "")
def test_each_example_matches_its_schema(name, value, schema):
    assert faults(value, schema) == []


@pytest.mark.parametrize("outcome", WAYS)
def test_each_outcome_is_answered_like_its_example(product, outcome):
    answer = answer_of(product, outcome, JSON)
    assert check(answer)[0] == []
    example = EXAMPLES[outcome]
    # These differ each time; `test_wrong_browser_repeats_the_code_and_the_state` compares them.
    varying = {name: answer.json()[name] for name in ("code", "state") if name in example}
    assert answer.json() == example | varying
    assert example.get("fallback_url", FALLBACK_URL) == FALLBACK_URL


# Requests of a program to /start, each with the name of the answer's example.
STARTS = [
    ("zero_in_brackets", {"body": "phone=%2B44 (0)7700 900123"}),
    ("not_a_number", {"body": "phone=600"}),
    ("not_a_number", {"body": '{"phone":"600"}', "content-type": JSON}),
    ("retrieve_and_number", {"body": "phone=%2B34600000001&retrieve=true"}),
    ("retrieve_and_number", {"body": '{"phone":"+34600000001","retrieve":true}', "content-type": JSON}),
    ("number_twice", {"body": "phone=%2B34600000001&phone=%2B34600000002"}),
    ("number_twice", {"body": '{"phone":["+34600000001","+34600000002"]}', "content-type": JSON}),
    ("another_site", {"body": "phone=%2B34600000001", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
    ("unsupported_media_type", {"body": "+34600000001", "content-type": "text/plain"}),
    ("unsupported_media_type", {"body": "--x--", "content-type": "multipart/form-data; boundary=x"}),
]


@pytest.mark.parametrize(("name", "sent"), STARTS)
def test_each_refused_start_is_answered_like_its_example(product, name, sent):
    for accept in (JSON, HTML):
        answer = Client(product).post_start(**sent, accept=accept)
        assert check(answer)[0] == []
        assert answer.status == EXAMPLES[name]["status"]
        assert "set-cookie" not in answer.headers
        if accept == JSON:
            assert answer.json() == EXAMPLES[name]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("phone=%2B34600000001", FORM),
        ('{"phone":"+34 600 000 001"}', JSON),
        ("retrieve=true", FORM),
        ('{"retrieve":true}', JSON),
    ],
)
def test_script_can_start_with_a_form_or_json(product, body, content_type):
    client = Client(product)
    answer = client.post_start(body, **{"content-type": content_type})
    assert check(answer)[0] == []
    assert answer.json()["expires_in"] == 600
    assert answer.headers["set-cookie"][0].endswith("; Max-Age=600")
    callback = client.request("GET", answer.json()["authorization_url"]).headers["location"][0]
    answer = client.request("GET", callback)
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES["verified"])


def several_answers(product):
    """The answers that only a function with several operators gives."""
    for accept in (HTML, JSON):
        for body in ("retrieve=true&operator=es", "retrieve=true&operator=fr", "phone=%2B34600000001&operator=es"):
            client = Client(product)
            url = client.post_start(body).json()["authorization_url"]
            yield client.request("GET", client.request("GET", url).headers["location"][0], accept)
        client = Client(product)
        for body in ("retrieve=true", "retrieve=true&operator=it", "phone=%2B39320000001", "retrieve=true&operator=de"):
            yield client.post_start(body, accept=accept)
        for path in (CALLBACK, f"{CALLBACK}/es", f"{CALLBACK}/it"):
            yield client.get(path, accept=accept)
        yield client.request("HEAD", f"{product.url}{CALLBACK}/es", accept)
        yield client.request("POST", f"{product.url}{CALLBACK}/es", accept)
        for changes in ({"login_hint": "+39320000001"}, {"login_hint": "+39320000001", "prompt": "none"}):
            yield apps.authorize(client, changes, accept=accept)
        yield client.post(apps.AUTHORIZE, apps.request({"login_hint": "+39320000001"}), accept=accept)


def test_several_operators_are_answered_as_described(several_product):
    answers = list(several_answers(several_product))
    assert [check(answer)[0] for answer in answers] == [[]] * len(answers)
    statuses = [200, 502, 200, 400, 422, 422, 502, 400, 400, 404, 204, 405, 422, 303, 422]
    assert [answer.status for answer in answers] == statuses * 2


def test_wrong_browser_repeats_the_code_and_the_state(product):
    url = Client(product).callback_url(VERIFIED)
    sent = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    answer = Client(product).request("GET", url)
    assert {name: answer.json()[name] for name in ("code", "state")} == {name: sent[name] for name in ("code", "state")}


def test_wrong_browser_in_a_browser_is_a_page_without_a_query(product):
    url = Client(product).callback_url(VERIFIED)
    stranger = Client(product)
    answer = stranger.request("GET", url, accept=HTML, **{"sec-fetch-dest": "document"})
    assert (answer.status, answer.headers["location"]) == (303, [WRONG_BROWSER])
    assert check(answer)[0] == []
    page = stranger.get(WRONG_BROWSER, accept=HTML)
    assert (page.status, check(page)[0]) == (403, [])
    without_code = {name: value for name, value in EXAMPLES["wrong_browser"].items() if name not in ("code", "state")}
    assert stranger.get(WRONG_BROWSER).json() == without_code


def test_prefetch_and_head_spend_nothing(product):
    client = Client(product)
    url = client.callback_url(VERIFIED)
    for answer in (
        client.request("HEAD", url),
        client.request("GET", url, **{"sec-purpose": "prefetch"}),
        client.request("GET", url, **{"sec-purpose": "prefetch;prerender"}),
    ):
        assert (answer.status, check(answer)[0]) == (204, [])
    assert product.asked("token") == 0
    assert client.request("GET", url).json()["outcome"] == "verified"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("POST", "/", "GET, HEAD"), ("GET", "/start", "POST"), ("POST", CALLBACK, "GET, HEAD"), ("POST", WRONG_BROWSER, "GET, HEAD")],
)
def test_other_method_gets_the_allowed_ones(product, method, path, allow):
    answer = Client(product).request(method, product.url + path)
    assert (answer.status, answer.headers["allow"]) == (405, [allow])
    assert check(answer)[0] == []


@pytest.mark.parametrize("correlator", ["34600000001", "app-42", CORRELATOR + "0"])
def test_correlator_that_is_not_a_uuid_is_replaced(product, correlator):
    answer = Client(product).get(CALLBACK, **{"x-correlator": correlator})
    assert check(answer)[0] == []
    assert answer.json()["correlator"] != correlator


@pytest.fixture(scope="module")
def closed_product():
    """A function that answers only requests through CloudFront, and whose secret cannot be used with this client_id."""
    product = Product(ORIGIN_HEADER=ORIGIN_HEADER, CLIENT_ID="\u00e9")
    try:
        yield product.wait()
    finally:
        product.stop()


def closed_answers(product):
    """The answers of every route, with and without the header of CloudFront."""
    for header in (ORIGIN_HEADER, ORIGIN_HEADER + "x", ""):
        for accept in (HTML, JSON):
            client, options = Client(product), {"accept": accept, "x-origin-verify": header}
            for path in ("/", CALLBACK, WRONG_BROWSER, "/nowhere"):
                yield header, client.get(path, **options)
            yield header, client.start(VERIFIED, **options)
            for answer in (*apps.every_route(client, **options), *programs.every_route(client, **options)):
                yield header, answer


def test_request_that_bypasses_cloudfront_is_refused_on_every_route(closed_product):
    for header, answer in closed_answers(closed_product):
        assert check(answer)[0] == [], f"{answer.method} {answer.path} {answer.status}"
        refused = answer.status == 403 and "address is closed" in answer.body
        assert refused == (header != ORIGIN_HEADER), f"{answer.method} {answer.path} {answer.status}"


def test_exactly_the_described_answers_are_given(product, several_product, closed_product, phone_product):
    client = Client(product)
    answers = [answer for _, answer in closed_answers(closed_product)]
    answers += [*apps.every_answer(product), *apps.every_answer_without_apps(phone_product)]
    answers += several_answers(several_product)
    answers += programs.every_answer(product)
    for accept in (HTML, JSON):
        answers += programs.every_route(Client(phone_product), accept=accept)
        answers += [client.get(path, accept=accept) for path in ("/", "/nowhere", WRONG_BROWSER)]
        answers += [client.start(phone, accept=accept) for phone in (VERIFIED, "600")]
        answers += [client.post_start(**sent, accept=accept) for _, sent in STARTS]
        for method, path in (("POST", "/"), ("GET", "/start"), ("POST", CALLBACK), ("POST", WRONG_BROWSER)):
            answers.append(client.request(method, product.url + path, accept=accept))
        answers += [client.request("HEAD", product.url + path, accept) for path in ("/", CALLBACK, WRONG_BROWSER)]
        answers.append(client.get(CALLBACK, accept=accept, **{"sec-purpose": "prefetch"}))
    answers.append(Client(product).request("GET", client.callback_url(VERIFIED), HTML, **{"sec-fetch-dest": "document"}))
    for outcome in WAYS:
        product.as_usual()
        answers += [answer_of(product, outcome, accept) for accept in (HTML, JSON)]

    seen = set()
    for answer in answers:
        found, place = check(answer)
        assert found == [], f"{answer.method} {answer.path} {answer.status}"
        seen.add(place)
    assert set(described_places()) - seen == set()


def test_problem_is_in_the_language_of_the_reader(product):
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
def test_malformed_header_is_not_an_error(product, name, value):
    # The emulator rejects headers that are not ASCII; `malformed_accept_headers_do_not_cause_an_error` sends those.
    for path, status in (("/", 200), (CALLBACK, 400)):
        answer = Client(product).get(path, **{name: value})
        assert answer.status == status
        assert check(answer)[0] == []
