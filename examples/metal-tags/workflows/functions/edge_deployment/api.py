# SPDX-License-Identifier: Apache-2.0
"""Signed questions (SigV4, GET) to the API that the function's environment names, with nothing but
Python's own library: a service that the AWS SDKs do not know (`andon`) is asked like any other."""
import datetime
import hashlib
import hmac
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 20


def quoted(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def _digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _sign(service, host, path, query):
    region = os.environ["AWS_REGION"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": now,
               "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"]}
    # Every service but S3 signs the path as it is encoded once more.
    signed_path = path if service == "s3" else quoted(path, "/")
    names = ";".join(sorted(headers))
    request = "\n".join(["GET", signed_path, query,
                         *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, empty])
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in (now[:8], region, service, "aws4_request"):
        key = _digest(key, part)
    signature = _digest(key, text).hex()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}")
    return headers


def _get(url, headers):
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(urllib.request.Request(url, headers=headers),
                         timeout=TIMEOUT_S) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        raise RuntimeError(f"GET {url.partition('?')[0]}: {error.code} {text}") from error


def get(service, path, query=None):
    """The body of a signed GET; `path` is percent-encoded."""
    endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
    text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in sorted((query or {}).items()))
    host = urllib.parse.urlsplit(endpoint).netloc
    return _get(f"{endpoint}{path}{'?' + text if text else ''}", _sign(service, host, path, text))


def get_presigned(url):
    """What a presigned URL of the same server names: a function reaches it at its endpoint alone,
    whatever it is called elsewhere."""
    parts = urllib.parse.urlsplit(url)
    endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
    return _get(f"{endpoint}{parts.path}?{parts.query}", {"Host": parts.netloc})
