# SPDX-License-Identifier: Apache-2.0
"""The training loop: resumable, deterministic from its seed on one machine, stops early."""
import copy
import json
import math
import random
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from . import data, infer, metrics
from .augment import Augmenter
from .errors import DataError
from .export import load_state
from .letterbox import to_array
from .loss import DetectionLoss
from .model import Detector, ModelSize


class MovingAverage:
    """Moving average of the weights: what is evaluated and exported."""

    def __init__(self, model, decay=0.998, warmup=200):
        self.model = copy.deepcopy(model).eval()
        self.decay, self.warmup, self.steps = decay, warmup, 0

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        d = self.decay * (1 - math.exp(-self.steps / self.warmup))
        source = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(d).add_(source[name], alpha=1 - d)
            else:
                value.copy_(source[name])


def make_deterministic(seed, threads):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    cv2.setNumThreads(0)
    if threads:
        torch.set_num_threads(threads)


def parameter_groups(model, weight_decay):
    decayed, plain = [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            is_kernel = isinstance(module, nn.Conv2d) and name == "weight"
            (decayed if is_kernel else plain).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay},
            {"params": plain, "weight_decay": 0.0}]


def sample_weights(datasets_of, options):
    """Each --train directory has the same share of an epoch, unless --weights says otherwise."""
    shares = options.weights or [1.0] * len(datasets_of)
    return np.concatenate([np.full(count, share / count)
                           for count, share in zip(datasets_of, shares)])


class Run:
    """One training run in its directory: last.pt to go on from, best.pt, log.jsonl."""

    def __init__(self, options):
        self.options = options
        self.out = Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        make_deterministic(options.seed, options.threads)
        self.device = torch.device(options.device or
                                   ("cuda" if torch.cuda.is_available() else "cpu"))
        parts = [data.load([d], options.names, options.on_error) for d in options.train]
        self.train = data.Dataset(parts[0].names, [s for p in parts for s in p.samples])
        self.validation = data.load(options.val, self.train.names, options.on_error)
        self.weights = sample_weights([len(p) for p in parts], options)
        self.size = ModelSize(options.width, options.depth, len(self.train.names))
        # Channels last: a quarter faster on CPUs.
        self.model = Detector(self.size).to(self.device, memory_format=torch.channels_last)
        self.average = MovingAverage(self.model)
        self.augmenter = Augmenter(self.train, options.side, options.seed)
        self.loss = DetectionLoss(options.side, self.size.classes, self.device)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, options.weight_decay),
                                           lr=options.lr)
        self.epoch, self.step, self.best, self.best_epoch = 0, 0, -1.0, 0

    def resume(self):
        path = self.out / "last.pt"
        if not path.exists():
            return False
        state = load_state(path, self.device, weights_only=False)
        if state["size"] != self.size.to_dict() or state["names"] != self.train.names:
            raise DataError(f"{path} is of another model ({state['size']}, "
                                 f"{state['names']}); use another --out or start anew")
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.average.steps = state["average_steps"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.augmenter.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"].cpu())
        self.epoch, self.step = state["epoch"], state["step"]
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        return True

    def _learning_rate(self):
        o = self.options
        share = self.epoch / o.epochs
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
        return o.lr * cosine * min(1.0, (self.step + 1) / o.warmup_steps)

    def _batches(self):
        o = self.options
        mosaic = o.mosaic if self.epoch < o.epochs * (1 - o.close_mosaic) else 0.0
        order = self.augmenter.order(self.weights)
        for start in range(0, len(order), o.batch):
            chosen = [self.augmenter.sample(int(i), mosaic) for i in order[start:start + o.batch]]
            images = torch.from_numpy(np.stack([to_array(c) for c, _, _ in chosen]))
            targets = [(torch.from_numpy(b.astype(np.float32)).to(self.device),
                        torch.from_numpy(labels).to(self.device)) for _, b, labels in chosen]
            yield images.to(self.device, memory_format=torch.channels_last), targets

    def _train_epoch(self, progress):
        self.model.train()
        totals, count = torch.zeros(3), 0
        for images, targets in self._batches():
            for group in self.optimizer.param_groups:
                group["lr"] = self._learning_rate()
            loss, parts = self.loss(self.model(images), targets)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
            self.optimizer.step()
            self.average.update(self.model)
            self.step += 1
            totals, count = totals + parts.cpu(), count + 1
            progress.update(len(targets))
        return dict(zip(("box", "cls", "dfl"), (round(float(v), 4) for v in totals / count)))

    def evaluate(self):
        network = infer.torch_network(
            infer.decoded(self.average.model, self.options.side, self.device), self.device)
        found = infer.detect(network, self.validation, self.options.side)
        return metrics.evaluate(found, self.validation, self.options.confidence)

    def _save(self, path):
        state = {"model": self.model.state_dict(), "average": self.average.model.state_dict(),
                 "average_steps": self.average.steps, "optimizer": self.optimizer.state_dict(),
                 "rng": self.augmenter.rng.bit_generator.state,
                 "torch_rng": torch.get_rng_state(), "epoch": self.epoch, "step": self.step,
                 "best": self.best, "best_epoch": self.best_epoch, "size": self.size.to_dict(),
                 "names": self.train.names, "side": self.options.side,
                 "options": {k: v for k, v in vars(self.options).items() if k != "run"}}
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(path)

    def _log(self, line):
        with open(self.out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def go(self):
        """Trains to the end. Gives the best validation result."""
        o, started = self.options, time.time()
        with tqdm(total=o.epochs * len(self.train), initial=self.epoch * len(self.train),
                  unit="img", disable=None) as progress:
            while self.epoch < o.epochs:
                line = {"epoch": self.epoch + 1, "lr": round(self._learning_rate(), 7)}
                line.update(self._train_epoch(progress))
                self.epoch += 1
                if self.epoch % o.eval_every == 0 or self.epoch == o.epochs:
                    result = self.evaluate()
                    line.update({k: round(result[k], 4)
                                 for k in ("mAP50", "mAP50_95", "precision", "recall")})
                    if result["mAP50_95"] > self.best:
                        self.best, self.best_epoch = result["mAP50_95"], self.epoch
                        self._save(self.out / "best.pt")
                line["seconds"] = round(time.time() - started, 1)
                self._log(line)
                if progress.disable:
                    print(json.dumps(line), flush=True)
                else:
                    progress.set_postfix({k: line[k] for k in ("box", "cls", "mAP50")
                                          if k in line})
                self._save(self.out / "last.pt")
                if self.epoch - self.best_epoch >= o.patience:
                    tqdm.write(f"no better result for {o.patience} epochs: stopped")
                    break
        return self.best, self.best_epoch
