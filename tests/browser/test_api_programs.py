"""docs/openapi.yaml describes what programs without a browser get. `test_api.py` compares every answer."""

import pytest

import apps
from described import EXAMPLES, Client, check
from programs import CLIENT_JWKS, Program, verify
from ways import WAYS

# The redirect of these is written by hand, or the browser is another one.
OUTCOMES = [outcome for outcome in WAYS if outcome not in ("operator_refused", "invalid_request", "invalid_state", "wrong_browser")]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_is_answered_like_the_callbacks(product, outcome):
    way = WAYS[outcome]
    way.operator(product)
    program = Program(product, way.number)
    if "error" in program.held:
        program.held.pop("code", None)
    answer = program.complete()
    assert check(answer)[0] == []
    assert answer.json() == EXAMPLES[outcome]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [("invalid_request", {"code": ""}), ("invalid_state", {"state": "rubbish"}), ("wrong_browser", {"binding": "rubbish"})],
)
def test_wrong_requests_are_answered_like_the_callbacks(product, outcome, changes):
    answer = Program(product, "+34600000001").complete(**changes)
    assert (check(answer)[0], answer.json()["outcome"]) == ([], outcome)


def test_number_from_the_operator_is_answered_like_a_number_that_was_asked_about(product):
    answer = Program(product, None, retrieve="true").complete()
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES["verified"])


def test_start_gives_a_program_the_binding_and_no_cookie(product):
    started = Program(product, "+34600000001").started
    assert check(started)[0] == []
    assert started.json().keys() == {"authorization_url", "expires_in", "binding"}
    assert "set-cookie" not in started.headers


def test_back_end_of_a_native_app_redeems_the_code(product):
    request = {"client_id": "bank", "redirect_uri": apps.BANK_URI, "response_type": "code", "scope": "openid", "state": "s-1"}
    answer = Program(product, "+34600000001", **request).complete()
    assert check(answer)[0] == []
    assert (answer.json()["state"], answer.json()["iss"]) == ("s-1", product.url)
    tokens = apps.token(Client(product), answer.json()["code"])
    assert apps.claims(tokens.json()["id_token"])["phone_number"] == "+34600000001"


@pytest.mark.parametrize(("number", "outcome"), [("+34600000001", "verified"), ("+34600000002", "not_verified")])
def test_operator_token_verifies_without_mobile_data(product, number, outcome):
    answer = verify(Client(product), number)
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES[outcome])


def test_operator_token_that_is_not_valid_is_expired_code(product):
    answer = verify(Client(product), token="unknown")
    assert (check(answer)[0], answer.json()) == ([], EXAMPLES["expired_code"])


def test_operator_reads_the_clients_key(product, phone_product):
    answer = Client(product).get(CLIENT_JWKS)
    (key,), (example,) = answer.json()["keys"], EXAMPLES["client_jwks"]["keys"]
    assert (check(answer)[0], key) == ([], example | {name: key[name] for name in ("x", "y", "kid")})
    assert answer.headers["cache-control"] == ["public, max-age=300"]
    assert Client(phone_product).get(CLIENT_JWKS).status == 404
