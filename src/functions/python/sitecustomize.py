# SPDX-License-Identifier: Apache-2.0
"""Before anything of the function is imported: AWS SDKs find andon, also those that do not know the
variable AWS_ENDPOINT_URL yet (botocore before 1.31), and what is logged has the form that it has in
AWS. Hooks, called when a module has been imported; no package is changed on the disk."""
import os
import sys

request_id = ""


def point_at_andon(module):
    """botocore.session: a client that is made without an address gets andon's."""
    provider = sys.modules.get("botocore.configprovider")
    if provider is not None and hasattr(provider, "ConfiguredEndpointProvider"):
        return  # it reads the variable by itself
    original = module.Session.create_client

    def create_client(self, service_name, *arguments, **named):
        given = len(arguments) > 4 or named.get("endpoint_url") is not None
        if not given:
            own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_")
            named["endpoint_url"] = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
        return original(self, service_name, *arguments, **named)

    module.Session.create_client = create_client


def format_as_aws(module):
    """logging: the root logger writes to standard output with level, time and request."""
    class Handler(module.Handler):
        def emit(self, record):
            sys.stdout.write(self.format(record) + "\n")

    class WithRequest(module.Filter):
        def filter(self, record):
            record.aws_request_id = request_id
            return True

    handler = Handler()
    formatter = module.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = __import__("time").gmtime
    handler.setFormatter(formatter)
    handler.addFilter(WithRequest())
    module.getLogger().addHandler(handler)


HOOKS = {"botocore.session": point_at_andon, "logging": format_as_aws}


class Finder:
    """Lets the others find a module of HOOKS, and calls its hook once it is loaded."""
    @staticmethod
    def find_spec(name, path=None, target=None):
        hook = HOOKS.get(name)
        if hook is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is Finder else finder.find_spec(name, path, target)
            if spec is None or spec.loader is None:
                continue
            original = spec.loader.exec_module

            def exec_module(module, original=original, hook=hook):
                original(module)
                hook(module)

            spec.loader.exec_module = exec_module
            return spec
        return None


sys.meta_path.insert(0, Finder)
