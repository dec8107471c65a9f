// An operator made from a certified OpenID Provider (https://openid.net/certification, node-oidc-provider). Everything
// from /auth to the token is the provider's own. Two things make it an operator: the subscriber is identified without
// being asked, as from the data connection, and a Number Verification API accepts the tokens it issued.
//
// It prints one line of JSON: the issuer, and a client for every authentication method, each with the secret that the
// product's owner would store in Secrets Manager. It ends when its standard input closes.
//
// The words after the files are what it demands of every client: request_object, dpop, nonce (in the proofs), camara (the
// claims that CAMARA's profile adds to them), and the address at which it reads the keys of the last client.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';

import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

const [REDIRECT_URI, CERTIFICATE_FILE, KEY_FILE, ...DEMANDS] = process.argv.slice(2);
const demands = (word) => DEMANDS.includes(word);
const jwksUri = DEMANDS.find((word) => word.startsWith('http'));
const SUBSCRIBER = { accountId: 'subscriber-1', phoneNumber: '+34600000001' };
const PURPOSE = 'dpv:FraudPreventionAndDetection';
const VERIFY = 'number-verification:verify';
const VERIFY_V0 = 'dpv:FraudPreventionAndDetection#number-verification-verify-read';
const SECONDS = 300;

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const jwk = (key, more) => ({ ...key.export({ format: 'jwk' }), ...more });
const publicJwk = ({ kty, crv, x, y, n, e, kid }) => ({ kty, crv, x, y, n, e, kid });
const pem = (key, type) => key.export({ format: 'pem', type });

const [rsaKey, ecKey, newEcKey] = [rsa(), p256(), p256()];

// Characters that RFC 6749 §2.3.1 requires to be encoded, and that would move the `:` if they were not.
const PASSWORD = 'p:ss w+rd/%41=&';
const password = (method) => ({
  registered: { token_endpoint_auth_method: method, client_secret: PASSWORD },
  secret: { client_secret: PASSWORD },
});
const signing = (alg, privateKey, publicKeys) => ({
  // If an algorithm is registered, the provider accepts no other.
  registered: {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: publicKeys.map(publicJwk) },
  },
  secret: { private_key: privateKey, state_key: randomBytes(32).toString('base64') },
});

const clients = {
  'my app:basic+%': password('client_secret_basic'),
  'my app:post+%': password('client_secret_post'),
  'RS256 from PKCS #8': signing('RS256', pem(rsaKey, 'pkcs8'), [jwk(rsaKey)]),
  'RS256 from PKCS #1': signing('RS256', pem(rsaKey, 'pkcs1'), [jwk(rsaKey)]),
  'RS256 from a JWK': signing('RS256', jwk(rsaKey), [jwk(rsaKey)]),
  'PS256 from a JWK': signing('PS256', jwk(rsaKey, { alg: 'PS256' }), [jwk(rsaKey)]),
  'ES256 from PKCS #8': signing('ES256', pem(ecKey, 'pkcs8'), [jwk(ecKey)]),
  'ES256 from SEC 1': signing('ES256', pem(ecKey, 'sec1'), [jwk(ecKey)]),
  'ES256 from a JWK, one of two keys': signing('ES256', jwk(newEcKey, { kid: 'new' }), [
    jwk(ecKey, { kid: 'old' }),
    jwk(newEcKey, { kid: 'new' }),
  ]),
};
const both = password('client_secret_basic');
clients['a secret, and a key for request objects'] = {
  registered: { ...both.registered, jwks: { keys: [publicJwk(jwk(ecKey))] } },
  secret: { ...both.secret, private_key: pem(ecKey, 'pkcs8') },
};
if (jwksUri) {
  clients['keys at an address'] = {
    registered: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: jwksUri },
    secret: { state_key: randomBytes(32).toString('base64') },
  };
}

const server = createServer({ cert: readFileSync(CERTIFICATE_FILE), key: readFileSync(KEY_FILE) }).listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: Object.entries(clients).map(([client_id, { registered }]) => ({
    client_id,
    redirect_uris: [REDIRECT_URI],
    scope: `openid ${PURPOSE} ${VERIFY} ${VERIFY_V0}`,
    require_signed_request_object: demands('request_object'),
    dpop_bound_access_tokens: demands('dpop'),
    ...registered,
  })),
  // One more scope than any client may ask for.
  scopes: ['openid', PURPOSE, VERIFY, VERIFY_V0, 'sim-swap:check'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  pkce: { required: () => true },
  jwks: { keys: [jwk(rsa(), { kid: 'provider' })] },
  cookies: { keys: [randomBytes(32).toString('base64')] },
  features: {
    devInteractions: { enabled: false },
    requestObjects: { enabled: true, assertJwtClaimsAndHeader: checkRequestObject },
    dPoP: demands('nonce') ? { nonceSecret: randomBytes(32), requireNonce: () => true } : {},
  },
  discovery: { camara_dpop_claims_required: demands('camara') ? ['camara:bh', 'camara:qh'] : undefined },
  // Without the protection against addresses of this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (ctx, interaction) => `/identify/${interaction.uid}` },
  findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(oidc.params.scope);
    await grant.save();
    return grant;
  },
  ttl: {
    AccessToken: SECONDS,
    AuthorizationCode: SECONDS,
    Grant: SECONDS,
    IdToken: SECONDS,
    Interaction: SECONDS,
    Session: SECONDS,
  },
});

const tokenRequests = [];
provider.on('grant.success', (ctx) => tokenRequests.push({ form: ctx.oidc.body, proof: ctx.get('dpop') }));
provider.on('grant.error', (ctx, { error, error_detail: detail }) => {
  tokenRequests.push({ form: ctx.oidc.body, proof: ctx.get('dpop'), error, detail });
});

// What CAMARA's Security and Interoperability Profile adds to the provider's own checks.
function checkRequestObject({ query }, claims) {
  const outside = ['client_id', 'redirect_uri', 'response_type', 'scope'];
  const fault =
    (![claims.aud].flat().includes(`${issuer}/auth`) && 'aud') ||
    (!(claims.iat <= Date.now() / 1000 && claims.exp - claims.iat <= SECONDS) && 'iat or exp') ||
    (!claims.jti && 'jti') ||
    ('sub' in claims && 'sub') ||
    outside.find((name) => !claims[name] || claims[name] !== query[name]) ||
    Object.keys(query).find((name) => name !== 'request' && !outside.includes(name));
  if (fault) throw new errors.InvalidRequestObject(fault);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('base64url');
const apiNonce = randomBytes(16).toString('base64url');

// RFC 9449 §4.3 and §9, at the API. The error, if there is one.
async function proofFault(ctx, value, jkt, body) {
  const proof = await jwtVerify(ctx.get('dpop'), EmbeddedJWK, { typ: 'dpop+jwt' }).catch(() => undefined);
  if (!proof) return 'invalid_dpop_proof';
  const { payload, protectedHeader } = proof;
  const expected = { htm: ctx.method, htu: `${issuer}${ctx.path}`, ath: sha256(value) };
  if (demands('camara')) {
    expected['camara:bh'] = sha256(body);
    if (ctx.querystring) expected['camara:qh'] = sha256(ctx.querystring);
  }
  const isWrong = ([name, claim]) => payload[name] !== claim;
  if (Object.entries(expected).some(isWrong) || !payload.jti || Math.abs(Date.now() / 1000 - payload.iat) > SECONDS) {
    return 'invalid_dpop_proof';
  }
  if ((await calculateJwkThumbprint(protectedHeader.jwk)) !== jkt) return 'invalid_token';
  return demands('nonce') && payload.nonce !== apiNonce ? 'use_dpop_nonce' : undefined;
}

async function verify(ctx) {
  const refuse = (status, code) => Object.assign(ctx, { status, body: { status, code, message: code } });
  const body = await buffer(ctx.req);
  const [, scheme, value] = /^(Bearer|DPoP) (.+)$/.exec(ctx.get('authorization')) ?? [];
  const token = value && (await provider.AccessToken.find(value));
  if (!token?.isValid || scheme !== (token.jkt ? 'DPoP' : 'Bearer')) return refuse(401, 'UNAUTHENTICATED');
  const fault = token.jkt && (await proofFault(ctx, value, token.jkt, body));
  if (fault) {
    ctx.set('dpop-nonce', apiNonce);
    ctx.set('www-authenticate', `DPoP algs="ES256", error="${fault}"`);
    return refuse(401, 'UNAUTHENTICATED');
  }
  if (!token.scopes.has(VERIFY) && !token.scopes.has(VERIFY_V0)) return refuse(403, 'PERMISSION_DENIED');
  // CAMARA: an access token works for one request.
  await token.destroy();
  const { phoneNumber } = JSON.parse(body);
  ctx.body = { devicePhoneNumberVerified: phoneNumber === SUBSCRIBER.phoneNumber };
}

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/identify/')) {
    const login = { accountId: SUBSCRIBER.accountId };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }));
  } else if (ctx.path === '/number-verification/v1/verify') {
    await verify(ctx);
  } else if (ctx.path === '/token-requests') {
    ctx.body = tokenRequests;
  } else if (ctx.path === '/keys-are-stale') {
    // As if max-age had passed since the client's keys were read.
    (await provider.Client.find('keys at an address')).asymmetricKeyStore.freshUntil = 0;
    ctx.body = {};
  } else {
    await next();
  }
});

server.on('request', provider.callback());
process.stdin.on('end', () => process.exit()).resume();

const owners = Object.entries(clients).map(([client_id, { registered, secret }]) => ({
  client_id,
  method: registered.token_endpoint_auth_method,
  algorithm: registered.token_endpoint_auth_signing_alg,
  secret: { client_id, ...secret },
}));
console.log(JSON.stringify({ issuer, clients: owners }));
