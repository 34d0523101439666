# SPDX-License-Identifier: Apache-2.0
"""Trains the example's detector: COCO-labelled directories in, an ONNX file and a report out."""
