"""The client's key pair: a private JWK for the secret, and its public half as operators take it."""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric import ec, rsa  # comes with moto
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

# The members of a public JWK (RFC 7518 §6), which are also those of its thumbprint (RFC 7638 §3.2).
PUBLIC = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}

FIRST = "The operator must know it before TOKEN_ENDPOINT_AUTH_METHOD=private_key_jwt or REQUEST_OBJECT=signed is set."
ANNOUNCED = """It signs nothing yet. Give it to the operator beside the present one, and once the operator has it, run the same command
again. An operator that reads /.well-known/client-jwks.json needs nothing: run it again now."""
EVERY_KEY = "For the operator, as a JWK Set with every key that it should accept now:"
NEW_KEY = "The new one as PEM:"
IN_USE = """
The previous private_key signs for 20 more minutes, so that an operator that reads /.well-known/client-jwks.json has the new one
before it is used. Store nothing else for 30 minutes. Then the operator may forget the previous one."""


class Step:
    """The client's first key, its next one, or the change to that. An operator must know a key before it signs."""

    def __init__(self, secret, operator):
        several = secret.get("operators")
        if several and operator not in several:
            names = " or ".join(several)
            sys.exit(f"make keys: the secret has several operators; set OPERATOR to {names}. Nothing was changed.")
        client = dict(several[operator] if several else secret)
        self.present, announced = client.get("private_key"), client.pop("next_private_key", None)
        self.made = None if self.present and announced else new()
        self.name = "next_private_key" if self.present and self.made else "private_key"
        client[self.name] = self.made or announced
        self.secret = secret | {"operators": several | {operator: client}} if several else client
        try:
            self.keys = [public_jwk(key) for key in (self.made, self.present) if key]
        except (ArithmeticError, LookupError, TypeError, ValueError):
            sys.exit("make keys: the present private_key is not a key that the function can use. Nothing was changed.")

    def report(self):
        """What was done, and what the operator needs. Nothing in it is private."""
        if not self.made:
            return f"  private_key  replaced by next_private_key\n{IN_USE}"
        next_step = ANNOUNCED if self.present else FIRST
        every_key = json.dumps({"keys": self.keys})
        return f"  {self.name}  added\n\n{next_step}\n\n{EVERY_KEY}\n\n{every_key}\n\n{NEW_KEY}\n\n{pem(self.made)}"


def new():
    """A P-256 key (ES256): every operator of CAMARA takes it, and it signs in a fraction of the time of RSA."""
    key = ec.generate_private_key(ec.SECP256R1())
    members = public_members(key.public_key())
    private = {"d": encode(key.private_numbers().private_value, 32), "kid": thumbprint(members), "alg": "ES256", "use": "sig"}
    return members | private


def public_jwk(private):
    """The public half of a private_key: PEM, or a JWK as text or as JSON."""
    if isinstance(private, str) and private.lstrip().startswith("{"):
        private = json.loads(private)
    if isinstance(private, str):
        members, alg, kid = public_members(load_pem_private_key(private.encode(), None).public_key()), None, None
    else:
        members = {name: private[name] for name in PUBLIC[private["kty"]]}
        alg, kid = private.get("alg"), private.get("kid")
    alg = alg or {"EC": "ES256", "RSA": "RS256"}[members["kty"]]
    return members | {"use": "sig", "alg": alg, "kid": kid or thumbprint(members)}


def pem(jwk):
    """The public half of a new key as PEM."""
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_members(key):
    numbers = key.public_numbers()
    if isinstance(key, rsa.RSAPublicKey):
        return {"kty": "RSA", "n": encode(numbers.n), "e": encode(numbers.e)}
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x, 32), "y": encode(numbers.y, 32)}


def thumbprint(members):
    canonical = json.dumps({name: members[name] for name in PUBLIC[members["kty"]]}, separators=(",", ":"))
    return base64url(hashlib.sha256(canonical.encode()).digest())


def encode(number, length=None):
    return base64url(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
