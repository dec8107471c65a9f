"""A shop whose customers sign in with their phone number: what the developer of an app writes.

The environment has ISSUER, CLIENT_ID, CLIENT_SECRET and PORT. Needs Flask, Authlib and requests.
"""

import logging
import os
import re
import secrets

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, render_template, request, session
from joserfc.errors import JoseError
from requests import RequestException

REDIRECT_URI = f"http://127.0.0.1:{os.environ['PORT']}/callback"

shop = Flask(__name__, template_folder=".")
shop.secret_key = secrets.token_bytes(32)
# A name of its own, because cookies do not distinguish ports. On https, set SESSION_COOKIE_SECURE too.
shop.config.update(SESSION_COOKIE_NAME="shop_session", SESSION_COOKIE_SAMESITE="Lax")

# Authlib makes and checks the nonce and the PKCE verifier, and validates the ID token.
provider = OAuth(shop).register(
    "number_verification",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid phone", "code_challenge_method": "S256", "default_timeout": 10},
)

# For each `error_description`, which is the name of an outcome, or for an `error`.
WORDS = {
    "not_verified": "The SIM in your phone has another number.",
    "access_denied": "You did not agree, or your operator could not recognize your phone.",
    "not_on_mobile_network": "Your phone was not on mobile data. Turn off Wi-Fi and any VPN.",
    "not_covered": "Your operator does not offer this check.",
    "mismatching_state": "This sign-in is over, or it was started in another browser.",
    "temporarily_unavailable": "The check does not work at the moment. Wait a minute.",
}


@shop.get("/")
def home():
    return render_template("shop.html", claims=session.get("claims"))


@shop.post("/sign-in")
def sign_in():
    """Sends the browser to the provider, with the number to verify. Without one, the provider asks for it."""
    typed = request.form.get("phone")
    number = typed and re.sub(r"[\s-]", "", typed)
    if typed is not None and not re.fullmatch(r"\+[1-9][0-9]{4,14}", number):
        return render_template("shop.html", typed=typed), 400
    session.clear()  # Only one sign-in at a time: those that nobody finishes would fill the cookie.
    state = secrets.token_urlsafe(16)
    session["asked"] = {"state": state, "number": number}
    return provider.authorize_redirect(REDIRECT_URI, state=state, login_hint=number and f"tel:{number}")


@shop.get("/callback")
def callback():
    """The provider sends the browser here, with a code or an error; `state` shows that this browser asked."""
    asked = session.get("asked", {})
    if request.args.get("state", "") != asked.get("state"):
        raise OAuthError("mismatching_state")
    claims = provider.authorize_access_token()["userinfo"]
    if claims["phone_number_verified"] is not True:
        return not_signed_in("Your number was not verified.")
    # `login_hint` passed through the user's hands, who could have put another phone's number there.
    if asked["number"] not in (None, claims["phone_number"]):
        return not_signed_in(f"We asked about {asked['number']}, but you verified {claims['phone_number']}.")
    session["claims"] = claims
    return redirect("/")


@shop.post("/sign-out")
def sign_out():
    session.clear()
    return redirect("/")


@shop.errorhandler(OAuthError)  # The redirect or the token endpoint said no,
@shop.errorhandler(JoseError)  # the ID token is not valid,
@shop.errorhandler(RequestException)  # or the provider did not answer.
def failed(fault):
    shop.logger.warning("Nobody was signed in: %s", fault)
    error, description = getattr(fault, "error", "temporarily_unavailable"), getattr(fault, "description", None)
    words = WORDS.get(description) or WORDS.get(error) or "Your number could not be checked."
    return not_signed_in(words, f"{error}: {description}" if description else error)


def not_signed_in(why, code=None):
    return render_template("shop.html", why=why, code=code), 403


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # Its lines about requests would contain codes.
    shop.run(port=int(os.environ["PORT"]))
