#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The trainer of this commit as a job of examples/metal-tags/workflows/train-and-ship.asl.json, with
# more options for it as arguments. $TRAINER is a virtual environment with what the trainer needs
# (training/install); the data and the model's place are SageMaker's variables.
set -e
PYTHONPATH=$PWD
export PYTHONPATH
andon_train() { "$TRAINER/bin/python" -m andon_train.cli "$@"; }
andon_train train --train "$SM_CHANNEL_TRAINING" --val "$SM_CHANNEL_VALIDATION" --out run "$@"
andon_train export run/best.pt "$SM_MODEL_DIR/model.onnx"
