"""docs/openapi.yaml describes what an app gets: its redirects, tokens, claims and errors. `test_api.py` compares every answer."""

import json
import time

import pytest

import apps
from described import DOCUMENT, EXAMPLES, HTML, JSON, Client, answer_of, check, faults
from ways import WAYS

SCHEMAS = "/components/schemas"
EXAMPLE_ISSUER = EXAMPLES["discovery"]["issuer"]


def authorization_response(answer, redirect_uri=apps.BANK_URI):
    """The parameters of the redirect to an app, which are as described."""
    parameters = apps.sent_back(answer, redirect_uri)
    assert check(answer)[0] == []
    assert faults(parameters, f"{SCHEMAS}/AuthorizationResponse") == []
    return parameters


@pytest.mark.parametrize("accept", [HTML, JSON])
def test_verified_user_is_sent_to_the_app_with_a_code(product, accept):
    client = Client(product)
    callback = apps.callback_url(client)
    first = authorization_response(client.request("GET", callback, accept))
    assert first.keys() == {"code", "state", "iss"}
    assert (first["state"], first["iss"]) == ("s-1", product.url)
    assert authorization_response(client.request("GET", callback, accept)) == first


@pytest.mark.parametrize(("changes", "error"), apps.REFUSED)
def test_each_refused_request_is_told_to_the_app(product, changes, error):
    address = changes.get("redirect_uri", apps.BANK_URI)
    answer = apps.authorize(Client(product), changes)
    assert authorization_response(answer, address)["error"] == error
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("outcome", WAYS)
def test_each_outcome_is_told_to_the_app_that_wants_no_page(product, outcome):
    answer = answer_of(product, outcome, HTML, apps.silently)
    if outcome in apps.ERRORS:
        told = authorization_response(answer)
        assert (told["error"], told["error_description"], told["state"]) == (apps.ERRORS[outcome], outcome, "s-1")
    elif outcome == "verified":
        assert "code" in authorization_response(answer)
    else:
        assert "location" not in answer.headers
        assert "bank.example" not in answer.body


@pytest.mark.parametrize("outcome", apps.ERRORS)
def test_page_of_each_outcome_leads_back_with_its_error(product, outcome):
    page = answer_of(product, outcome, HTML, apps.authorization_url)
    assert check(page)[0] == []
    assert f'href="{apps.BANK_URI}?error={apps.ERRORS[outcome]}&#38;error_description={outcome}&#38;' in page.body
    assert ">Back to The Bank</a>" in page.body


def test_apps_get_exactly_the_described_errors():
    described = DOCUMENT["components"]["schemas"]["AuthorizationError"]["properties"]["error"]["enum"]
    assert sorted(described) == sorted({error for _, error in apps.REFUSED} | set(apps.ERRORS.values()))


def test_tokens_and_claims_are_as_described(product):
    client, before = Client(product), time.time()
    answer = apps.token(client, apps.new_code(product))
    assert (answer.status, check(answer)[0]) == (200, [])
    tokens = answer.json()
    secret = {name: tokens[name] for name in ("access_token", "id_token")}
    assert tokens == EXAMPLES["tokens"] | secret

    claims = apps.claims(tokens["id_token"])
    assert faults(claims, f"{SCHEMAS}/IdToken") == []
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (product.url, "bank", "n-1")
    assert claims["phone_number"] == "+34600000001"
    assert int(before) <= claims["auth_time"] <= claims["iat"] == claims["exp"] - 300

    answer = apps.userinfo(client, tokens["access_token"])
    assert check(answer)[0] == []
    assert answer.json() == EXAMPLES["userinfo"] | {"sub": claims["sub"]}


@pytest.mark.parametrize(("name", "changes"), apps.REFUSED_TOKENS)
def test_each_refused_token_request_is_answered_like_its_example(product, name, changes):
    client, code = Client(product), apps.new_code(product)
    answer = apps.token(client, code, changes)
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES[name])
    assert apps.token(client, code).status == 200, "the code was not used up"


def test_code_is_exchanged_once_and_credentials_are_sent_once(product):
    client, code = Client(product), apps.new_code(product)
    assert apps.with_both_credentials(client, code).json() == EXAMPLES["credentials_twice"]
    assert apps.token(client, code).status == 200
    assert apps.token(client, code).json() == EXAMPLES["code_used"]


def test_access_token_is_needed(product):
    for token in ("rubbish", ""):
        answer = apps.userinfo(Client(product), token)
        assert (check(answer)[0], answer.json()) == ([], EXAMPLES["invalid_token"])


def test_documents_are_their_examples(product):
    client = Client(product)
    discovery = {
        name: value.replace(EXAMPLE_ISSUER, product.url) if isinstance(value, str) else value
        for name, value in EXAMPLES["discovery"].items()
    }
    assert client.get(apps.DISCOVERY).json() == discovery
    (key,), (example,) = client.get(apps.JWKS).json()["keys"], EXAMPLES["jwks"]["keys"]
    varying = {name: key[name] for name in ("x", "y", "kid")}
    assert key == example | varying


def test_start_for_an_app(product):
    client = Client(product)
    form = f"phone=%2B34600000001&{apps.request({'login_hint': None})}"
    body = json.dumps({"phone": "+34600000001"} | apps.parameters({"login_hint": None}))
    for sent in ({"body": form}, {"body": body, "content-type": JSON}):
        answer = client.post_start(**sent)
        assert check(answer)[0] == []
        callback = client.request("GET", answer.json()["authorization_url"]).headers["location"][0]
        assert "code" in authorization_response(client.request("GET", callback))

    answer = client.post_start("phone=%2B34600000001&" + apps.request({"scope": "phone"}))
    assert authorization_response(answer)["error"] == "invalid_scope"
    answer = client.post_start("phone=%2B34600000001&" + apps.request({"client_id": "evil"}))
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES["unknown_app"])


def test_without_apps_nothing_of_the_provider_exists(phone_product):
    for answer in apps.every_answer_without_apps(phone_product):
        assert (answer.status, check(answer)[0]) == (404, []), f"{answer.method} {answer.path}"
