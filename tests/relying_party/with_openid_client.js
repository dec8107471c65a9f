// An app that signs its user in with openid-client, a certified relying-party library
// (https://openid.net/certification). Its argument is JSON: the issuer, the client and the number to verify. It prints the
// address for the user's browser, reads from its standard input the address to which the browser came back, and prints
// what it then knows as JSON.

import { once } from 'node:events';
import { createInterface } from 'node:readline';

import * as client from 'openid-client';

const { issuer, client_id, client_secret, token_endpoint_auth_method, redirect_uri, number, more } = JSON.parse(process.argv[2]);
const authentications = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
};

const config = await client.discovery(
  new URL(issuer),
  client_id,
  undefined,
  authentications[token_endpoint_auth_method](client_secret),
  // The second one checks the signature too, which the specification leaves out for a token from the token endpoint.
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const authorizationUrl = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope: 'openid phone',
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  login_hint: `tel:${number}`,
  ...more,
});
console.log(authorizationUrl.href);

const [callbackUrl] = await once(createInterface({ input: process.stdin }), 'line');
console.log(JSON.stringify(await result(new URL(callbackUrl))));

async function result(callbackUrl) {
  let tokens;
  try {
    tokens = await client.authorizationCodeGrant(config, callbackUrl, { pkceCodeVerifier, expectedState, expectedNonce });
  } catch (error) {
    if (error instanceof client.AuthorizationResponseError) {
      return { error: error.error, error_description: error.error_description };
    }
    throw error;
  }
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  // `login_hint` passed through the user's hands.
  const isTheNumber = claims.phone_number_verified === true && claims.phone_number === number;
  return { signed_in: isTheNumber, claims, userinfo };
}
