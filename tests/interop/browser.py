# SPDX-License-Identifier: Apache-2.0
"""What a page of the console does, over HTTP with a cookie."""
import http.client
import json
import urllib.parse


class Browser:
    """Holds a cookie, as one does, and sends the token that the page was given."""

    def __init__(self, server):
        self.host = urllib.parse.urlsplit(server.info["api"]).netloc
        self.cookie = ""
        self.csrf = ""

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {
                "Content-Type": "application/json", "Cookie": self.cookie,
                "X-Andon-Csrf": self.csrf, **headers})
            answer = connection.getresponse()
            text = answer.read()
            cookie = answer.getheader("Set-Cookie")
            if cookie is not None:
                self.cookie = cookie.split(";")[0]
                self.last_cookie = cookie
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def sign_in(self, **body):
        status, answer = self.ask("POST", "/console/sign-in", body)
        if status == 200:
            self.csrf = answer["csrfToken"]
        return status, answer

    def call(self, service, operation, **members):
        return self.ask("POST", f"/console/call/{service}/{operation}", members)
