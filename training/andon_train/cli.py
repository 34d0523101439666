# SPDX-License-Identifier: Apache-2.0
"""andon-train: check data, train, evaluate, export and report on a detector."""
import argparse
import json
import math
import os
import sys
import traceback
from pathlib import Path

from .errors import DataError

# Read when PyTorch loads: idle threads sleep, else a busy machine crawls.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _add_data_options(parser):
    parser.add_argument("--on-error", choices=("stop", "skip"), default="stop",
                        help="what to do about a wrong image or label (default: stop)")


def _number(kind, low, high, what):
    """A type of argparse: a number in a range, refused with words."""
    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value
    return read


_COUNT = _number(int, 1, 10**9, "a whole number, 1 or more")
_FROM_ZERO = _number(int, 0, 2**63 - 1, "a whole number, 0 or more")
_SHARE = _number(float, 0, 1, "a number from 0 to 1")
_POSITIVE = _number(float, 1e-12, 1e12, "a number from 1e-12 to 1e12")


def _side(text):
    side = _number(int, 32, 16384, "a multiple of 32 up to 16384")(text)
    if side % 32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a multiple of 32")
    return side


def _fact(text):
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=TEXT")
    return key, value


def parser():
    top = argparse.ArgumentParser(prog="andon-train", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    check = commands.add_parser("check", help="read labels and pictures, and say what is wrong")
    check.add_argument("data", nargs="+", metavar="DIR",
                       help="labelled directories: images/ and annotations.json (COCO), or labels/ "
                            "and classes.txt (YOLO)")
    check.set_defaults(run=_check)
    _add_data_options(check)

    train = commands.add_parser("train", help="train, or go on with a run that was cut off")
    train.add_argument("--train", nargs="+", required=True, metavar="DIR",
                       help="labelled directories: images/ and annotations.json (COCO), or labels/ "
                            "and classes.txt (YOLO)")
    train.add_argument("--weights", nargs="+", type=_POSITIVE, metavar="W",
                       help="share of each --train directory in an epoch (default: equal)")
    train.add_argument("--val", nargs="+", required=True, metavar="DIR")
    train.add_argument("--out", required=True, help="directory of the run")
    train.add_argument("--side", type=_side, default=320, help="input size (default: 320)")
    train.add_argument("--width", type=_POSITIVE, default=0.25, help="width multiple (0.25 is 'n')")
    train.add_argument("--depth", type=_POSITIVE, default=0.33, help="depth multiple (0.33 is 'n')")
    train.add_argument("--epochs", type=_COUNT, default=100)
    train.add_argument("--patience", type=_COUNT, default=50,
                       help="stop after so many epochs without a better result")
    train.add_argument("--eval-every", type=_COUNT, default=2, metavar="EPOCHS")
    train.add_argument("--batch", type=_COUNT, default=16)
    train.add_argument("--lr", type=_POSITIVE, default=2e-3)
    train.add_argument("--warmup-steps", type=_COUNT, default=60)
    train.add_argument("--weight-decay", type=_SHARE, default=0.03)
    train.add_argument("--mosaic", type=_SHARE, default=0.6, help="share of mosaic samples")
    train.add_argument("--close-mosaic", type=_SHARE, default=0.25,
                       help="last share of the epochs that goes without mosaic")
    train.add_argument("--confidence", type=_SHARE, default=0.25)
    train.add_argument("--seed", type=_FROM_ZERO, default=0)
    train.add_argument("--threads", type=_FROM_ZERO, default=0, help="0: as many as there are cores")
    train.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")
    train.add_argument("--fresh", action="store_true", help="do not go on with an earlier run")
    train.set_defaults(run=_train, names=None)
    _add_data_options(train)

    evaluate = commands.add_parser("evaluate", help="mAP of a checkpoint or an ONNX file")
    evaluate.add_argument("model", help="best.pt or model.onnx")
    evaluate.add_argument("--data", nargs="+", required=True, metavar="DIR")
    evaluate.add_argument("--side", type=_side, help="input size (default: the model's own)")
    evaluate.add_argument("--confidence", type=_SHARE, default=0.25)
    evaluate.add_argument("--report", metavar="DIR", help="write report.json and report.html")
    evaluate.add_argument("--log", metavar="FILE", help="log.jsonl of the run, for its curves")
    evaluate.add_argument("--note", action="append", default=[], type=_fact, metavar="KEY=TEXT",
                          help="a fact for the report, such as the command that trained it")
    evaluate.set_defaults(run=_evaluate)
    _add_data_options(evaluate)

    export = commands.add_parser("export", help="write an ONNX file")
    export.add_argument("checkpoint")
    export.add_argument("out")
    export.add_argument("--side", type=_side, help="input size (default: as trained)")
    export.add_argument("--dynamic-batch", action="store_true")
    export.add_argument("--model-version", default="1.0.0")
    export.add_argument("--opset", type=_COUNT, default=13)
    export.set_defaults(run=_export)
    return top


def _check(options):
    from . import data
    dataset = data.load(options.data, None, options.on_error)
    print(json.dumps({"images": len(dataset), "classes": dataset.names,
                      "objects": sum(len(sample.boxes) for sample in dataset.samples)}))


def _train(options):
    from .train import Run
    if options.weights and len(options.weights) != len(options.train):
        raise DataError("--weights needs one number for each --train directory")
    run = Run(options)
    if options.fresh:
        (run.out / "log.jsonl").unlink(missing_ok=True)
    elif run.resume():
        print(f"going on after epoch {run.epoch} of {run.out}", file=sys.stderr)
    best, epoch = run.go()
    print(json.dumps({"best_mAP50_95": round(best, 4), "epoch": epoch,
                      "checkpoint": str(run.out / "best.pt")}))


def _onnx_network(path):
    import ast

    import onnxruntime
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exception types are not public
        raise DataError(f"{path}: ONNX Runtime cannot load it: {error}") from None
    meta = session.get_modelmeta().custom_metadata_map
    try:
        names = list(ast.literal_eval(meta["names"]).values())
        side = int(ast.literal_eval(meta["imgsz"])[0])
    except (KeyError, ValueError, SyntaxError, TypeError, AttributeError, IndexError):
        raise DataError(f"{path}: its metadata do not have 'names' and 'imgsz' as this trainer and "
                        "Ultralytics write them") from None
    return (lambda x: session.run(None, {"images": x})[0][0]), names, side


def _network(options):
    from . import infer
    from .export import load_checkpoint
    if options.model.endswith(".onnx"):
        network, names, side = _onnx_network(options.model)
        return network, names, options.side or side
    detector, names, side = load_checkpoint(options.model)
    side = options.side or side
    return infer.torch_network(infer.decoded(detector, side)), names, side


def _read_log(path):
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise DataError(f"{path}: not the log.jsonl of a run: {error}") from None


def _evaluate(options):
    from . import data, infer, metrics, report
    from .model import STRIDES
    network, names, side = _network(options)
    results, worst = {}, None
    for directory in options.data:
        dataset = data.load([directory], names, options.on_error)
        found = infer.detect(network, dataset, side)
        result = metrics.evaluate(found, dataset, options.confidence)
        result["anchors_above_confidence_per_stride"] = infer.levels_that_fire(
            network, dataset, side, STRIDES, options.confidence)
        results[Path(directory).name] = result
        worst = worst or (dataset, found, options.confidence)
    if options.report:
        Path(options.report).mkdir(parents=True, exist_ok=True)
        log = []
        if options.log:
            log = _read_log(Path(options.log))
        facts = dict(options.note)
        facts.setdefault("model", Path(options.model).name)
        report.write(options.report, f"Detector {Path(options.model).name}", results, worst, log,
                     facts)
    shown = {name: {k: v for k, v in result.items() if k != "precision_at_recall"}
             for name, result in results.items()}
    print(json.dumps(shown, indent=2))


def _export(options):
    from .export import export
    path = export(options.checkpoint, options.out, options.side, options.dynamic_batch,
                  options.model_version, options.opset)
    print(json.dumps({"file": str(path), "bytes": path.stat().st_size}))


def main(arguments=None):
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (DataError, OSError) as error:
        print(f"andon-train: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"andon-train: {error.name} is not installed; training/install installs all that is "
              "needed", file=sys.stderr)
        return 1
    except MemoryError:
        print("andon-train: there is not enough memory; --batch or --side make it less, and fewer "
              "images", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("andon-train: interrupted; the same command goes on from the last epoch",
              file=sys.stderr)
        return 130
    except Exception as error:  # of this program, or of PyTorch: told like any other
        if os.environ.get("ANDON_TRAIN_TRACEBACK"):
            traceback.print_exc()
        print(f"andon-train: it cannot go on: {type(error).__name__}: {error} "
              "(ANDON_TRAIN_TRACEBACK=1 shows where)", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
