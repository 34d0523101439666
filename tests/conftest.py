# SPDX-License-Identifier: Apache-2.0
"""Puts tests/ on the import path, so that every suite can use harness.py."""
