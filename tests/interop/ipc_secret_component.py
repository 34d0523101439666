# SPDX-License-Identifier: Apache-2.0
"""A Greengrass component as its author would write it, with the public AWS IoT Device SDK: it wants
the secrets that wishes.json of its working directory names (a list of arguments of GetSecretValue,
under a number) and writes what it got, or the error, to answers.json."""
import json
import os
import time

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (InvalidArgumentsError, ResourceNotFoundError,
                                            ServiceError, UnauthorizedError)

ipc = GreengrassCoreIPCClientV2()


def get(wish):
    try:
        got = ipc.get_secret_value(**wish)
    except (InvalidArgumentsError, ResourceNotFoundError, ServiceError, UnauthorizedError) as error:
        return {"error": type(error).__name__, "message": error.message}
    value = got.secret_value
    return {"id": got.secret_id, "version": got.version_id, "stages": got.version_stage,
            "text": value.secret_string,
            "bytes": value.secret_binary.hex() if value.secret_binary is not None else None}


def write(answers):
    with open("answers.tmp", "w") as file:
        json.dump(answers, file)
    os.replace("answers.tmp", "answers.json")


# What it needs to begin with: as early as a component can ask.
done = 0
if not os.path.exists("answers.json"):
    write({"number": 0, "answers": [get({"secret_id": "line/mes"})]})
else:
    with open("answers.json") as earlier:
        done = json.load(earlier)["number"]
while True:
    if os.path.exists("wishes.json"):
        with open("wishes.json") as file:
            wishes = json.load(file)
        if wishes["number"] != done:
            write({"number": wishes["number"], "answers": [get(one) for one in wishes["wishes"]]})
            done = wishes["number"]
    time.sleep(0.05)
