// An operator made from a certified OpenID Provider (https://openid.net/certification, node-oidc-provider). Everything
// from /auth to the token is the provider's own. Two things make it an operator: the subscriber is identified without
// being asked, as from the data connection, and a Number Verification API accepts the tokens it issued.
//
// It prints one line of JSON: the issuer, and a client for every authentication method, each with the secret that the
// product's owner would store in Secrets Manager. It ends when its standard input closes.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';

import { Provider } from 'oidc-provider';

const [REDIRECT_URI, CERTIFICATE_FILE, KEY_FILE] = process.argv.slice(2);
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

const server = createServer({ cert: readFileSync(CERTIFICATE_FILE), key: readFileSync(KEY_FILE) }).listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: Object.entries(clients).map(([client_id, { registered }]) => ({
    client_id,
    redirect_uris: [REDIRECT_URI],
    scope: `openid ${PURPOSE} ${VERIFY} ${VERIFY_V0}`,
    ...registered,
  })),
  // One more scope than any client may ask for.
  scopes: ['openid', PURPOSE, VERIFY, VERIFY_V0, 'sim-swap:check'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  pkce: { required: () => true },
  jwks: { keys: [jwk(rsa(), { kid: 'provider' })] },
  cookies: { keys: [randomBytes(32).toString('base64')] },
  features: { devInteractions: { enabled: false } },
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
provider.on('grant.success', ({ oidc }) => tokenRequests.push({ form: oidc.body }));
provider.on('grant.error', ({ oidc }, { error, error_detail: detail }) => {
  tokenRequests.push({ form: oidc.body, error, detail });
});

async function verify(ctx) {
  const refuse = (status, code) => Object.assign(ctx, { status, body: { status, code, message: code } });
  const [, value] = /^Bearer (.+)$/.exec(ctx.get('authorization')) ?? [];
  const token = value && (await provider.AccessToken.find(value));
  if (!token?.isValid) return refuse(401, 'UNAUTHENTICATED');
  if (!token.scopes.has(VERIFY) && !token.scopes.has(VERIFY_V0)) return refuse(403, 'PERMISSION_DENIED');
  // CAMARA: an access token works for one request.
  await token.destroy();
  const { phoneNumber } = await json(ctx.req);
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
