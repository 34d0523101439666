// SPDX-License-Identifier: Apache-2.0
// An OpenID provider on this machine, with the login page of its library: any user, any password.
// Arguments: certificate, key, redirect URI, the client's secret. Says its issuer on a line.
import fs from 'node:fs';
import https from 'node:https';
import { Provider } from 'oidc-provider';

const [certificate, key, redirectUri, secret] = process.argv.slice(2);
const server = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'andon', client_secret: secret, redirect_uris: [redirectUri], response_types: ['code'], grant_types: ['authorization_code'] }],
    pkce: { required: () => true },
    cookies: { keys: ['a key of this test'] },
    claims: { openid: ['sub'] },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
