# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the input, told with its file and place."""
import sys


class DataError(Exception):
    """Wrong input: the message names the file, the place and the cause."""


class Problems:
    """What is wrong with single images and labels. With `on_error="stop"` the first ends the run,
    with "skip" each is told and left out."""

    def __init__(self, on_error):
        self.on_error = on_error
        self.count = 0

    def report(self, place, cause):
        self.count += 1
        if self.on_error == "stop":
            raise DataError(f"{place}: {cause} (--on-error skip leaves it out and goes on)")
        print(f"andon-train: skipped: {place}: {cause}", file=sys.stderr)
