#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -e
pip3 install --user --quiet --requirement "$1/requirements.txt"
