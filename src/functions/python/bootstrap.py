# SPDX-License-Identifier: Apache-2.0
"""Runs a function's Python handler: fetches events from the Lambda runtime API, calls the handler
and sends back what it returns or raises. Only what each start needs is imported."""
import json
import os
import socket
import sys
import time

ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)
ROOT = os.environ["LAMBDA_TASK_ROOT"]
RUNTIME = "/2018-06-01/runtime/"
SIGKILL = 9
TOO_LARGE = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."


def call(method, path, body=b"", headers=""):
    """(status, headers in lower case, body) of one request to the runtime API."""
    with socket.create_connection((ADDRESS[0], int(ADDRESS[1]))) as connection:
        head = f"{method} {RUNTIME}{path} HTTP/1.1\r\nHost: {ADDRESS[0]}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        try:
            connection.sendall(head.encode("latin-1") + body)
        except OSError:
            pass  # an answer may have come before all was taken
        parts = []
        while True:
            part = connection.recv(262144)
            if not part:
                break
            parts.append(part)
    head, _, rest = b"".join(parts).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:])
    return int(lines[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}, rest


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class Client:
    """What the mobile SDKs say of the program that calls."""
    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))


class ClientContext:
    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = Client(values["client"]) if "client" in values else None


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = Identity()
        given = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(given)) if given else None
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, text):
        sys.stdout.write(str(text))


class LoadError(Exception):
    """What is wrong with the handler, by AWS's name of it."""
    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = trace


def load(handler):
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        raise LoadError("Runtime.MalformedHandlerName",
                        f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)")
    module_name = module_name.replace("/", ".")
    try:
        __import__(module_name)
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError",
                        f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").rstrip()}\n'
        raise LoadError("Runtime.UserCodeSyntaxError",
                        f"Syntax error in module '{module_name}': {error}", [place]) from error
    function = getattr(sys.modules[module_name], function_name, None)
    if function is None:
        raise LoadError("Runtime.HandlerNotFound",
                        f"Handler '{function_name}' missing on module '{module_name}'")
    return function


def describe(error, request_id):
    """The payload of an error; it is written to the log, too."""
    if isinstance(error, LoadError):
        kind, trace = error.kind, list(error.trace)
    else:
        import traceback
        own = {__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"}
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in own]
        kind, trace = type(error).__name__, traceback.format_list(frames)
    text = str(error)
    lines = f"[ERROR] {kind}: {text}"
    if trace:
        lines += "\nTraceback (most recent call last):\n" + "".join(trace).rstrip("\n")
    print(lines, flush=True)
    payload = {"errorMessage": text, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return kind, json.dumps(payload).encode()


def post_error(path, error, request_id):
    kind, payload = describe(error, request_id)
    safe = "".join(letter for letter in kind if letter.isascii() and letter.isprintable())
    call("POST", path, payload, f"Lambda-Runtime-Function-Error-Type: {safe}\r\n")


def encode_more(value):
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def marshal(result):
    try:
        return json.dumps(result, default=encode_more).encode()
    except Exception as error:
        raise LoadError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def serve(handler):
    while True:
        status, headers, body = call("GET", "invocation/next")
        if status != 200:
            sys.exit(1)
        context = Context(headers)
        request_id = context.aws_request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        try:
            sys.modules["sitecustomize"].request_id = request_id
            payload = marshal(handler(json.loads(body), context))
        except MemoryError:
            os.kill(os.getpid(), SIGKILL)  # as the machine's memory killer would
        except Exception as error:
            sys.stdout.flush()
            post_error(f"invocation/{request_id}/error", error, request_id)
            continue
        sys.stdout.flush()
        status, _, _ = call("POST", f"invocation/{request_id}/response", payload)
        if status == 413:
            post_error(f"invocation/{request_id}/error", LoadError("Function.ResponseSizeTooLarge", TOO_LARGE),
                       request_id)


def main():
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    # The function's own modules first, then its layers', then those that the server has for all.
    version = os.environ["AWS_EXECUTION_ENV"].rpartition("_")[2]
    layers = [f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    sys.path[:] = [ROOT, "/var/requirements", *layers, "/var/python"] + [
        place for place in sys.path if place != os.path.dirname(__file__)]
    try:
        handler = load(os.environ["_HANDLER"])
    except MemoryError:
        os.kill(os.getpid(), SIGKILL)
    except Exception as error:
        post_error("init/error", error, "")
        sys.exit(1)
    serve(handler)


main()
