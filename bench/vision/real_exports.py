#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models as their authors' own tools export them, through andon and through the authors' decoding.

Each case builds a network of its family with random weights (nothing is downloaded), settles its
batch normalisation on a few pictures and stretches its last layers so that scores spread from 0 to
1, exports it with the public package, and compares every box, score, class and mask with what the
package makes of the same file. Both sides run ONNX Runtime's library of the Python package, so
that what differs is andon's. Needs the packages of real-exports-requirements.txt and the target
vision_bench.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp(prefix="ultralytics-"))
for name, value in {"YOLO_VERBOSE": "false", "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false",
                    "HF_HUB_OFFLINE": "1", "TRUST_REMOTE_CODE": "0"}.items():
    os.environ.setdefault(name, value)
warnings.filterwarnings("ignore")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from compare import Andon, iou  # noqa: E402

SIZE = 320
SETTINGS = [{"confidence": 0.25, "iou": 0.7}, {"confidence": 0.05, "iou": 0.45}]


@dataclass
class Case:
    file: Path
    head: str  # that andon must take it for
    reference: Callable  # (picture, setting) -> findings as vision_bench gives them
    spec: Optional[dict] = None  # what is said beside the model
    settings: list = field(default_factory=lambda: SETTINGS)


# Pictures

def make_pictures(sources, folder):
    """Shapes that fit the input in every way: smaller, larger, upright, long. PNG, so that no
    decoder can differ."""
    from PIL import Image

    shapes = [(450, 300), (1280, 1024), (300, 450), (97, 61), (SIZE, SIZE), (900, 200)]
    files = []
    for number, (width, height) in enumerate(shapes):
        picture = Image.open(sources[number % len(sources)]).convert("RGB")
        if width < height:
            picture = picture.transpose(Image.Transpose.ROTATE_90)
        files.append(folder / f"{number}-{width}x{height}.png")
        picture.resize((width, height), Image.Resampling.BICUBIC).save(files[-1])
    return files


def read_rgb(file):
    import numpy
    from PIL import Image

    return numpy.asarray(Image.open(file).convert("RGB"))


def batch(files, size):
    """What networks are settled on."""
    import torch

    return torch.stack([torch.from_numpy(letterboxed(file, size).transpose(2, 0, 1).copy()).float()
                        / 255 for file in files])


# Networks with random weights whose outputs are worth comparing

def settle(network, pictures):
    """Batch normalisation to what it sees: random weights otherwise fade or burst in the depth."""
    import torch

    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    with torch.no_grad():
        network(pictures)
    network.eval()


def spread(network, layers, pictures, mean, deviation):
    """Scales the layers so that their outputs have that mean and deviation."""
    import torch

    seen = {}
    hooks = [layer.register_forward_hook(
        lambda module, _, output: seen.__setitem__(module, output.detach())) for layer in layers]
    with torch.no_grad():
        network(pictures)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for layer in layers:
            factor = deviation / float(seen[layer].std())
            layer.weight.mul_(factor)
            if layer.bias is not None:
                layer.bias.mul_(factor).add_(mean - float(seen[layer].mean()) * factor)


def onnx_session(file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def export(network, arguments, file, inputs, outputs, dynamic=None, opset=17):
    import torch

    torch.onnx.export(network, arguments, str(file), input_names=inputs, output_names=outputs,
                      dynamic_axes=dynamic, opset_version=opset, dynamo=False)
    return file


# Ultralytics

def ultralytics_model(name, classes, folder):
    """From the package's own description of the network, with fewer classes."""
    import ultralytics
    import yaml

    base = re.sub(r"(yolov?\d+)[a-z](?=-|$)", r"\1", name)
    descriptions = Path(ultralytics.__file__).parent / "cfg/models"
    source = next(path for wanted in (name, base)
                  for path in sorted(descriptions.rglob(f"{wanted}.yaml")))
    description = {**yaml.safe_load(source.read_text()), "nc": classes}
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(description))
    kind = ultralytics.RTDETR if "rtdetr" in name else ultralytics.YOLO
    return kind(str(file))


def prepare_ultralytics(network, pictures):
    from torch import nn

    settle(network, pictures)
    head = network.model[-1]
    if hasattr(head, "linear"):
        spread(network, [head.linear], pictures, 0, 2)
    elif hasattr(head, "dec_score_head"):
        for box_head in [head.enc_bbox_head, *head.dec_bbox_head]:  # they begin with zeros
            nn.init.normal_(box_head.layers[-1].weight, std=0.3)
        spread(network, [head.enc_score_head], pictures, -3, 2)
        spread(network, [head.dec_score_head[-1]], pictures, -3, 2)
    else:
        has_bins = head.reg_max > 1
        for branch in ("", "one2one_"):
            if getattr(head, f"{branch}cv3", None) is None:
                continue
            spread(network, [level[-1] for level in getattr(head, f"{branch}cv3")], pictures, -5, 2)
            spread(network, [level[-1] for level in getattr(head, f"{branch}cv2")], pictures,
                   0 if has_bins else 3, 2 if has_bins else 0.2)


def ultralytics_reference(file, size, is_dynamic):
    import ultralytics

    model = (ultralytics.RTDETR if "rtdetr" in file.name else ultralytics.YOLO)(str(file))

    def look(picture, setting):
        result = model.predict(read_rgb(picture)[:, :, ::-1].copy(), imgsz=size, verbose=False,
                               conf=setting["confidence"], iou=setting["iou"], retina_masks=True,
                               rect=is_dynamic, device="cpu")[0]
        if result.probs is not None:
            return {"classes": list(enumerate(result.probs.data.tolist()))}
        boxes = result.boxes
        height, width = result.orig_shape  # RT-DETR's boxes are not clipped, which andon does
        found = {"boxes": [[*clipped(box, width, height), score, int(label)]
                           for box, score, label in
                           zip(boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist())]}
        if result.masks is not None:
            found["masks"] = [mask > 0.5 for mask in result.masks.data.numpy()]
        return found

    return look


def ultralytics_case(name, head, classes=3, size=SIZE, **options):
    def make(folder, pictures):
        model = ultralytics_model(name, classes, folder)
        prepare_ultralytics(model.model, batch(pictures, size))
        made = Path(model.export(format="onnx", imgsz=size, verbose=False, **options))
        file = folder / f"{'-'.join([name, *map(str, options)])}.onnx"
        if made != file:
            made.replace(file)
        return Case(file, head, ultralytics_reference(file, size, options.get("dynamic", False)))

    return make


def scaled_back(boxes, shape, size=SIZE):
    """From a letterboxed input to the picture, by Ultralytics' own function."""
    from ultralytics.utils import ops

    return ops.scale_boxes((size, size), boxes, shape)


def letterboxed(picture, size=SIZE):
    from ultralytics.data.augment import LetterBox

    return LetterBox((size, size), auto=False)(image=read_rgb(picture))


# Classic YOLOv5

def yolov5_case(folder, pictures):
    import torch
    import yaml
    import yolov5
    from yolov5.models.yolo import Detect, Model
    from yolov5.utils.general import non_max_suppression

    description = yaml.safe_load((Path(yolov5.__file__).parent / "models/yolov5n.yaml").read_text())
    network = Model({**description, "nc": 3})
    settle(network, batch(pictures, SIZE))
    head = network.model[-1]
    assert isinstance(head, Detect)
    spread(network, list(head.m), batch(pictures, SIZE), 0.3, 1.5)
    head.inplace, head.export, head.dynamic = False, True, False
    image = torch.zeros(1, 3, SIZE, SIZE)
    network(image)
    import onnx

    file = export(network, image, folder / "yolov5n-classic.onnx", ["images"], ["output0"],
                  opset=12)
    stored = onnx.load(file)
    for key, value in {"stride": 32, "names": {0: "a", 1: "b", 2: "c"}}.items():  # as export.py
        stored.metadata_props.add(key=key, value=str(value))
    onnx.save(stored, file)
    session = onnx_session(file)

    def look(picture, setting):
        tensor = letterboxed(picture).transpose(2, 0, 1)[None].astype("float32") / 255
        output = torch.from_numpy(session.run(None, {"images": tensor})[0])
        rows = non_max_suppression(output, setting["confidence"], setting["iou"], max_det=300)[0]
        rows[:, :4] = scaled_back(rows[:, :4], read_rgb(picture).shape)
        return {"boxes": [[*row[:5], int(row[5])] for row in rows.tolist()]}

    return Case(file, "yolov5", look)


# YOLOX

def yolox_case(is_decoded):
    def make(folder, pictures):
        import torch
        from yolox.data.data_augment import preproc
        from yolox.models import YOLOPAFPN, YOLOX, YOLOXHead
        from yolox.utils import postprocess

        classes = 3
        network = YOLOX(YOLOPAFPN(0.33, 0.25, in_channels=[256, 512, 1024], depthwise=True),
                        YOLOXHead(classes, 0.25, in_channels=[256, 512, 1024], depthwise=True))
        network.head.decode_in_inference = True
        images = batch(pictures, SIZE).flip(1) * 255
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
                module.reset_running_stats()
        with torch.no_grad():  # the head's training needs targets; its layers do not
            features = network.backbone(images)
            for k, feature in enumerate(features):
                feature = network.head.stems[k](feature)
                network.head.cls_convs[k](feature)
                network.head.reg_convs[k](feature)
        network.eval()
        head = network.head
        spread(network, list(head.cls_preds), images, -1, 2)
        spread(network, list(head.obj_preds), images, -2, 2)
        spread(network, list(head.reg_preds), images, 0.5, 0.7)
        head.decode_in_inference = is_decoded
        image = torch.zeros(1, 3, SIZE, SIZE)
        file = export(network, image, folder / f"yolox-nano{'-decoded' if is_decoded else ''}.onnx",
                      ["images"], ["output"], opset=11)
        session = onnx_session(file)

        def look(picture, setting):
            bgr = read_rgb(picture)[:, :, ::-1]
            tensor, ratio = preproc(bgr, (SIZE, SIZE))
            height, width = bgr.shape[:2]
            output = torch.from_numpy(session.run(None, {"images": tensor[None]})[0])
            if not is_decoded:
                head.hw = [(SIZE // s, SIZE // s) for s in (8, 16, 32)]
                output = head.decode_outputs(output, dtype="torch.FloatTensor")
            rows = postprocess(output, classes, setting["confidence"], setting["iou"])[0]
            if rows is None:
                return {"boxes": []}
            rows = rows[rows[:, 4] * rows[:, 5] > setting["confidence"]][:300]
            found = [[*clipped([side / ratio for side in row[:4]], width, height), row[4] * row[5],
                      int(row[6])] for row in rows.tolist()]
            return {"boxes": found}

        spec = {"decoded": True} if is_decoded else None
        return Case(file, "yolox", look, spec)

    return make


# transformers

class NamedOutputs:
    """Makes of a network with many outputs one with those that exporters keep."""

    @staticmethod
    def of(model):
        import torch

        class Kept(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, pixel_values):
                outputs = self.model(pixel_values=pixel_values)
                return outputs.logits, outputs.pred_boxes

        return Kept().eval()

    @staticmethod
    def deployed(model):
        """The layout of the authors' own exports: labels, boxes and scores of the best pairs."""
        import torch

        class Deployed(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, images, orig_target_sizes):
                outputs = self.model(pixel_values=images)
                scores = outputs.logits.sigmoid()
                count, classes = scores.shape[1:]
                scores, places = torch.topk(scores.flatten(1), count)
                centres, sides = outputs.pred_boxes.split(2, dim=-1)
                corners = torch.cat([centres - sides / 2, centres + sides / 2], dim=-1)
                corners = corners * orig_target_sizes.repeat(1, 2).unsqueeze(1).float()
                query = (places // classes).unsqueeze(-1).expand(-1, -1, 4)
                return places % classes, corners.gather(1, query), scores

        return Deployed().eval()


def transformers_model(family, labels):
    import transformers

    backbone = {"embedding_size": 16, "hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1],
                "layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"]}
    small = {"encoder_in_channels": [32, 48, 64], "encoder_hidden_dim": 32, "d_model": 32,
             "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "decoder_layers": 2, "num_queries": 100,
             "decoder_attention_heads": 4, "encoder_attention_heads": 4, "num_denoising": 0,
             "decoder_in_channels": [32, 32, 32], "id2label": labels}
    if family == "rtdetr":
        config = transformers.RTDetrConfig(
            backbone_config=transformers.RTDetrResNetConfig(**backbone), **small)
        return transformers.RTDetrForObjectDetection(config)
    if family == "dfine":
        stages = {"stem_channels": [3, 8, 16], "stage_in_channels": [16, 16, 32, 48],
                  "stage_mid_channels": [8, 16, 16, 16], "stage_out_channels": [16, 32, 48, 64],
                  "hidden_sizes": [16, 32, 48, 64], "stage_num_blocks": [1, 1, 1, 1],
                  "stage_numb_of_layers": [1, 1, 1, 1]}
        config = transformers.DFineConfig(
            backbone_config=transformers.HGNetV2Config(
                **stages, out_features=["stage2", "stage3", "stage4"]), **small)
        return transformers.DFineForObjectDetection(config)
    config = transformers.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None,
        backbone_config=transformers.ResNetConfig(
            embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1],
            layer_type="basic", out_features=["stage4"]),
        d_model=32, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=64, decoder_ffn_dim=64,
        encoder_attention_heads=4, decoder_attention_heads=4, num_queries=50, id2label=labels)
    return transformers.DetrForObjectDetection(config)


def prepare_transformers(model, family, pictures):
    from torch import nn

    settle(model, pictures)
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    classes = model.config.num_labels + (family == "detr")
    for module in model.modules():  # box heads begin with zeros
        layers = getattr(module, "layers", None)
        is_box_head = type(module).__name__.endswith(("MLPPredictionHead", "MLP"))
        if is_box_head and layers is not None:
            nn.init.normal_(layers[-1].weight, std=0.3)
    heads = [module for module in linear if module.out_features == classes]
    used = []
    hooks = [head.register_forward_hook(lambda module, *_: used.append(module)) for head in heads]
    import torch

    with torch.no_grad():
        model(pictures)
    for hook in hooks:
        hook.remove()
    for head in dict.fromkeys(used):
        spread(model, [head], pictures, 0 if family == "detr" else -3, 2)


def transformers_case(family, layout="logits"):
    def make(folder, pictures):
        import onnx
        import torch
        import transformers

        labels = {0: "a", 1: "b", 2: "c"}
        model = transformers_model(family, labels).eval()
        images = batch(pictures, SIZE)
        prepare_transformers(model, family, images)
        if family == "detr":
            from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

            processor = DetrImageProcessorPil(size={"height": SIZE, "width": SIZE}, do_pad=False)
        else:
            # The one that scales with Pillow; torchvision's rounds some bytes the other way.
            from transformers.models.rt_detr.image_processing_pil_rt_detr import (
                RTDetrImageProcessorPil)

            processor = RTDetrImageProcessorPil(size={"height": SIZE, "width": SIZE})
        image = torch.rand(1, 3, SIZE, SIZE)
        file = folder / f"{family}-transformers-{layout}.onnx"
        free = {0: "batch"}
        if layout == "logits":
            export(NamedOutputs.of(model), image, file, ["pixel_values"], ["logits", "pred_boxes"],
                   dynamic={"pixel_values": free, "logits": free, "pred_boxes": free})
        else:
            export(NamedOutputs.deployed(model), (image, torch.tensor([[SIZE, SIZE]])), file,
                   ["images", "orig_target_sizes"], ["labels", "boxes", "scores"])
        stored = onnx.load(file)
        if not stored.metadata_props and family == "detr":
            stored.metadata_props.add(key="names", value=str(labels))
            onnx.save(stored, file)
        session = onnx_session(file)

        def look(picture, setting):
            rgb = read_rgb(picture)
            tensor = processor(images=rgb, return_tensors="np")["pixel_values"].astype("float32")
            height, width = rgb.shape[:2]
            if layout == "logits":
                logits, boxes = session.run(None, {"pixel_values": tensor})
                outputs = type("Outputs", (), {"logits": torch.from_numpy(logits),
                                               "pred_boxes": torch.from_numpy(boxes)})
                result = processor.post_process_object_detection(
                    outputs, threshold=setting["confidence"],
                    target_sizes=torch.tensor([[height, width]]))[0]
                found = zip(result["boxes"].tolist(), result["scores"].tolist(),
                            result["labels"].tolist())
            else:
                import numpy

                sizes = numpy.array([[width, height]], numpy.int64)
                names, boxes, scores = session.run(None, {"images": tensor,
                                                          "orig_target_sizes": sizes})
                found = [(box, score, label) for box, score, label in
                         zip(boxes[0].tolist(), scores[0].tolist(), names[0].tolist())
                         if score > setting["confidence"]]
            return {"boxes": [[*clipped(box, width, height), score, label]
                              for box, score, label in found]}

        spec = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
        return Case(file, "detr_logits" if layout == "logits" else "detr", look,
                    spec if family == "detr" else None)

    return make


def clipped(box, width, height):
    left, top, right, bottom = box
    return [min(max(left, 0), width), min(max(top, 0), height), min(max(right, 0), width),
            min(max(bottom, 0), height)]


# Classifiers

def torchvision_case(folder, pictures):
    import torch
    from PIL import Image
    from torchvision.models import mobilenet_v3_small
    from torchvision.transforms._presets import ImageClassification

    preset = ImageClassification(crop_size=224, resize_size=256)
    images = torch.stack([preset(Image.open(file).convert("RGB")) for file in pictures])
    network = mobilenet_v3_small(num_classes=7)
    settle(network, images)
    spread(network, [network.classifier[-1]], images, 0, 1)
    file = export(network, torch.zeros(1, 3, 224, 224), folder / "mobilenet-torchvision.onnx",
                  ["input"], ["output"])
    session = onnx_session(file)

    def look(picture, _):
        tensor = preset(Image.open(picture).convert("RGB"))[None].numpy()
        logits = torch.from_numpy(session.run(None, {"input": tensor})[0])
        return {"classes": list(enumerate(logits.softmax(1)[0].tolist()))}

    return Case(file, "classifier", look, {"resize": 256})


def timm_case(folder, pictures):
    import timm
    import torch
    from PIL import Image

    network = timm.create_model("resnet10t", pretrained=False, num_classes=7)
    data = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**data, is_training=False)
    images = torch.stack([transform(Image.open(file).convert("RGB")) for file in pictures])
    settle(network, images)
    spread(network, [network.fc], images, 0, 1)
    side = data["input_size"][-1]
    file = export(network, torch.zeros(1, 3, side, side), folder / "resnet10t-timm.onnx",
                  ["input0"], ["output0"])
    session = onnx_session(file)

    def look(picture, _):
        tensor = transform(Image.open(picture).convert("RGB"))[None].numpy()
        logits = torch.from_numpy(session.run(None, {"input0": tensor})[0])
        return {"classes": list(enumerate(logits.softmax(1)[0].tolist()))}

    spec = {"resize": int(side / data["crop_pct"]), "resample": data["interpolation"]}
    return Case(file, "classifier", look, spec)


# anomalib

def anomalib_case(family):
    def make(folder, pictures):
        import torch
        from anomalib.models import EfficientAd, Padim, Patchcore

        size = 256  # of the pre-processing that the export contains
        images = batch(pictures, size)
        if family == "patchcore":
            model = Patchcore(backbone="resnet18", pre_trained=False, layers=["layer2", "layer3"])
            model.model.train()
            with torch.no_grad():
                for image in images:
                    model.model(image[None])
            model.model.subsample_embedding(0.1)
        elif family == "padim":
            model = Padim(backbone="resnet18", pre_trained=False, layers=["layer1", "layer2"],
                          n_features=20)
            model.model.train()
            with torch.no_grad():
                for image in images:
                    model.model(image[None])
            model.model.fit()
        else:
            model = EfficientAd(imagenet_dir=folder, model_size="small")
        model.eval()
        with torch.no_grad():
            raw = model.model(model.pre_processor(images) if model.pre_processor else images)
        post = model.post_processor
        for kind, values in (("image", raw.pred_score), ("pixel", raw.anomaly_map)):
            getattr(post, f"{kind}_min").copy_(values.min())
            getattr(post, f"{kind}_max").copy_(values.max() * 2)  # so that no score is cut at 1
            getattr(post, f"_{kind}_threshold").copy_(values.median())
        # With a free batch the exporter makes a PatchCore of exactly two pictures.
        made = Path(model.to_onnx(folder, input_size=(size, size), model_file_name=f"{family}",
                                  dynamic_axes={}, dynamic_shapes=None))
        session = onnx_session(made)

        def look(picture, _):
            import numpy
            from PIL import Image

            small = Image.fromarray(read_rgb(picture)).resize((size, size),
                                                               Image.Resampling.BILINEAR)
            tensor = (numpy.asarray(small).transpose(2, 0, 1)[None].astype("float32") / 255)
            outputs = dict(zip([output.name for output in session.get_outputs()],
                               session.run(None, {session.get_inputs()[0].name: tensor})))
            return {"score": float(outputs["pred_score"].reshape(-1)[0]),
                    "map": outputs["anomaly_map"].reshape(-1).tolist()}

        return Case(made, "anomaly", look)

    return make


# What is not meant to be understood

def refused_case(name, why):
    def make(folder, _):
        model = ultralytics_model(name, 3, folder)
        file = folder / f"{name}.onnx"
        Path(model.export(format="onnx", imgsz=64, verbose=False)).replace(file)
        return Case(file, f"refused: {why}", None)

    return make


def half_case(folder, _):
    """What `half=True` makes where there is a GPU: the input is float16."""
    import torch

    model = ultralytics_model("yolov8n", 3, folder).model.eval()
    file = folder / "yolov8n-half.onnx"
    network = torch.nn.Sequential(model.model[0], model.model[1]).half()
    export(network, torch.zeros(1, 3, 64, 64).half(), file, ["images"], ["output0"])
    return Case(file, "refused: float16", None)


CASES = {
    "yolov5nu": ultralytics_case("yolov5n", "yolov8"),
    "yolov8n, 80 classes": ultralytics_case("yolov8n", "yolov8", classes=80),
    "yolov8n, dynamic": ultralytics_case("yolov8n", "yolov8", dynamic=True),
    "yolov8n, nms": ultralytics_case("yolov8n", "end_to_end", nms=True),
    "yolov9t": ultralytics_case("yolov9t", "yolov8"),
    "yolov10n": ultralytics_case("yolov10n", "yolov8"),
    "yolov10n, end to end": ultralytics_case("yolov10n", "end_to_end", nms=False),
    "yolo11n": ultralytics_case("yolo11n", "yolov8"),
    "yolo12n": ultralytics_case("yolo12n", "yolov8"),
    "yolo26n": ultralytics_case("yolo26n", "yolov8"),
    "yolo26n, end to end": ultralytics_case("yolo26n", "end_to_end", nms=False),
    "yolov8n-seg": ultralytics_case("yolov8n-seg", "yolov8_seg"),
    "yolov8n-seg, nms": ultralytics_case("yolov8n-seg", "end_to_end_seg", nms=True),
    "yolo11n-seg": ultralytics_case("yolo11n-seg", "yolov8_seg"),
    "yolo26n-seg, end to end": ultralytics_case("yolo26n-seg", "end_to_end_seg", nms=False),
    "yolov8n-cls": ultralytics_case("yolov8n-cls", "classifier", classes=7, size=224),
    "yolo11n-cls": ultralytics_case("yolo11n-cls", "classifier", classes=7, size=224),
    "rtdetr-l": ultralytics_case("rtdetr-l", "rtdetr"),
    "YOLOv5n (classic)": yolov5_case,
    "YOLOX-nano": yolox_case(False),
    "YOLOX-nano, decoded": yolox_case(True),
    "RT-DETR of transformers": transformers_case("rtdetr"),
    "D-FINE of transformers": transformers_case("dfine"),
    "DETR of transformers": transformers_case("detr"),
    "RT-DETR, authors' layout": transformers_case("rtdetr", "deployed"),
    "D-FINE, authors' layout": transformers_case("dfine", "deployed"),
    "mobilenet_v3 of torchvision": torchvision_case,
    "resnet10t of timm": timm_case,
    "PatchCore of anomalib": anomalib_case("patchcore"),
    "PaDiM of anomalib": anomalib_case("padim"),
    "EfficientAD of anomalib": anomalib_case("efficientad"),
    "yolov8n-pose": refused_case("yolov8n-pose", "pose"),
    "yolov8n-obb": refused_case("yolov8n-obb", "obb"),
    "float16": half_case,
}


# Comparing

def mask_of(runs, shape):
    import numpy

    values = numpy.repeat(numpy.arange(len(runs)) % 2 == 1, runs)
    return values.reshape(shape[1], shape[0]).T


def mask_iou(one, other):
    union = (one | other).sum()
    return 1.0 if union == 0 else float((one & other).sum() / union)


def closeness(one, other):
    return iou(one, other) - 10 * abs(one[4] - other[4])


def compare_boxes(expected, found, shape, report):
    left = list(range(len(found["boxes"])))
    report["boxes"] += len(expected["boxes"])
    for number, box in enumerate(expected["boxes"]):
        best = max((i for i in left if found["boxes"][i][5] == box[5]),
                   key=lambda i: closeness(box, found["boxes"][i]), default=None)
        if best is None or iou(box, found["boxes"][best]) < 0.5:
            report["missing"] += 1
            continue
        left.remove(best)
        other = found["boxes"][best]
        report["lowest_iou"] = min(report["lowest_iou"], iou(box, other))
        report["score_apart"] = max(report["score_apart"], abs(box[4] - other[4]))
        if "masks" in expected:
            overlap = mask_iou(expected["masks"][number], mask_of(found["masks"][best], shape))
            report["masks"] += 1
            report["lowest_mask_iou"] = min(report["lowest_mask_iou"], overlap)
            report["mask_iou_sum"] += overlap
    report["extra"] += len(left)


def compare_findings(expected, found, shape, report):
    if "boxes" in expected:
        # Clipping leaves slivers of boxes beyond the picture's edges, on which IoU says nothing.
        def is_solid(box):
            return box[2] - box[0] > 0.1 and box[3] - box[1] > 0.1

        expected = dict(expected)
        solid = [i for i, box in enumerate(expected["boxes"]) if is_solid(box)]
        expected["boxes"] = [expected["boxes"][i] for i in solid]
        if "masks" in expected:
            expected["masks"] = [expected["masks"][i] for i in solid]
        pairs = [(box, mask) for box, mask in zip(found["boxes"],
                                                  found.get("masks", found["boxes"]))
                 if is_solid(box)]
        found = {"boxes": [box for box, _ in pairs], "masks": [mask for _, mask in pairs]}
        compare_boxes(expected, found, shape, report)
    if "classes" in expected:
        report["score_most"] = min(report["score_most"],
                                   max(score for _, score in expected["classes"]))
        scores = dict(found["classes"])
        for label, score in expected["classes"]:
            report["scores"] += 1
            report["score_apart"] = max(report["score_apart"], abs(score - scores[label]))
    if "score" in expected:
        report["score_most"] = min(report["score_most"], expected["score"])
        report["scores"] += 1
        report["score_apart"] = max(report["score_apart"], abs(expected["score"] - found["score"]))
        report["map_apart"] = max([report["map_apart"], *(
            abs(a - b) for a, b in zip(expected["map"], found["map"], strict=True))])


def refusal(arguments, case):
    answer = subprocess.run([str(arguments.program), str(case.file)], input="describe\n", text=True,
                            capture_output=True,
                            env=dict(os.environ, ONNXRUNTIME_ROOT=str(arguments.runtime)))
    text = answer.stderr
    is_clear = (answer.returncode != 0 and "is not a model that andon understands" in text
                and "Found:" in text and "Understood:" in text
                and case.head.split(": ")[1] in text)
    return {"refused": text.split(". Found")[0].strip(), "agrees": is_clear}


def check(arguments, name, case, pictures):
    if case.reference is None:
        return refusal(arguments, case)
    report = {"images": len(pictures), "boxes": 0, "missing": 0, "extra": 0, "masks": 0,
              "scores": 0, "lowest_iou": 1.0, "score_apart": 0.0, "lowest_mask_iou": 1.0,
              "mask_iou_sum": 0.0, "map_apart": 0.0, "score_most": 1.0}
    spec = ["--spec", json.dumps(case.spec)] if case.spec else []
    for setting in case.settings:
        ours = Andon(name, arguments.program, case.file, "--confidence", setting["confidence"],
                     "--iou", setting["iou"], "--classes", 1000, *spec, runtime=arguments.runtime)
        report["head"] = ours.ask("describe")["head"]
        ours.load(pictures)
        found = ours.ask("findings")
        ours.close()
        for picture in pictures:
            compare_findings(case.reference(picture, setting), found[picture.name],
                             read_rgb(picture).shape[:2], report)
    report["agrees"] = (report["head"] == case.head and report["missing"] == report["extra"] == 0
                        and report["boxes"] + report["scores"] > 0
                        # Scores that are all 1 would agree whatever the network saw.
                        and (report["scores"] == 0 or report["score_most"] < 0.99)
                        and report["lowest_iou"] >= 0.99 and report["score_apart"] <= 0.005
                        and report["map_apart"] <= 0.005)
    return report


def line_of(name, report):
    if "failed" in report:
        return f"{name:30} FAILED: {report['failed']}"
    if "refused" in report:
        return f"{name:30} {'refused' if report['agrees'] else 'NOT REFUSED CLEARLY'}: " \
               f"{report['refused'][-90:]}"
    text = f"{name:30} {report['head']:14}"
    if report["boxes"]:
        text += f" {report['boxes']:5} boxes, {report['missing']} missing, " \
                f"{report['extra']} extra, IoU >= {report['lowest_iou']:.5f},"
    if report["scores"]:
        text += f" {report['scores']:5} scores,"
    text += f" apart by {report['score_apart']:.6f}"
    if report["masks"]:
        text += f", masks' IoU >= {report['lowest_mask_iou']:.4f}, mean " \
                f"{report['mask_iou_sum'] / report['masks']:.5f}"
    if report["map_apart"]:
        text += f", map by {report['map_apart']:.6f}"
    return text + ("" if report["agrees"] else "   DISAGREES")


def python_runtime():
    import onnxruntime

    return Path(onnxruntime.__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="vision_bench of a build")
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--runtime", type=Path,
                        help="folder of ONNX Runtime for andon (the Python package's own)")
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="cases whose names contain it; may be given several times")
    parser.add_argument("--keep", type=Path, help="folder for the models (else they are deleted)")
    parser.add_argument("--out", type=Path, help="writes what was seen as JSON")
    parser.add_argument("--list", action="store_true", help="names the cases and ends")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(CASES))
        return 0
    import torch

    torch.set_num_threads(1)
    arguments.runtime = arguments.runtime or python_runtime()
    sources = sorted(path for path in arguments.images.iterdir()
                     if path.suffix in (".jpg", ".jpeg", ".png"))
    reports = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        pictures = make_pictures(sources, folder)
        for name, make in CASES.items():
            if arguments.only and not any(text in name for text in arguments.only):
                continue
            torch.manual_seed(3)
            try:
                reports[name] = check(arguments, name, make(folder, pictures), pictures)
            except (Exception, SystemExit) as error:  # one case must not hide the others
                reports[name] = {"failed": f"{type(error).__name__}: {error}"[:300],
                                 "agrees": False}
                traceback.print_exc()
            print(line_of(name, reports[name]), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(reports, indent=2) + "\n")
    return 0 if all(report["agrees"] for report in reports.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
