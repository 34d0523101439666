# SPDX-License-Identifier: Apache-2.0
"""Makes and starts the training pipeline with SageMaker's Python SDK: ROLE GROUP BASE LABELS. The
session's bucket, region and endpoint are those of the environment."""
import json
import sys

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.functions import JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.model import Model
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

role, group, base, labels = sys.argv[1:5]
least = ParameterFloat(name="LeastMap", default_value=0.6)
approval = ParameterString(name="Approval", default_value="Approved")
session = PipelineSession()
bucket = session.default_bucket()
image = "registry.example/line/training:1"


def processor(name):
    return ScriptProcessor(
        image_uri=image, command=["python3"], role=role, instance_count=1,
        instance_type="ml.m5.large", base_job_name=name, sagemaker_session=session)


prepare = ProcessingStep(name="Prepare", step_args=processor("prepare").run(
    code="prepare.py",
    inputs=[ProcessingInput(source=labels, destination="/opt/ml/processing/input")],
    outputs=[ProcessingOutput(output_name=name, source=f"/opt/ml/processing/output/{name}")
             for name in ("train", "test")]))


def made(step, name):
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


estimator = Estimator(
    image_uri=image, role=role, instance_count=1, instance_type="ml.m5.large",
    entry_point="train.py", hyperparameters={"epochs": 3}, sagemaker_session=session,
    output_path=f"s3://{bucket}/models",
    metric_definitions=[{"Name": "map", "Regex": "map=([0-9.]+);"}])
train = TrainingStep(name="Train", step_args=estimator.fit({
    "train": TrainingInput(made(prepare, "train")), "base": TrainingInput(base)}))
report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
measure = ProcessingStep(
    name="Measure", property_files=[report], step_args=processor("measure").run(
        code="measure.py",
        inputs=[
            ProcessingInput(source=train.properties.ModelArtifacts.S3ModelArtifacts,
                            destination="/opt/ml/processing/model"),
            ProcessingInput(source=made(prepare, "test"), destination="/opt/ml/processing/test")],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")]))
model = Model(image_uri=image, model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
              sagemaker_session=session, role=role)
register = ModelStep(name="Register", step_args=model.register(
    content_types=["image/jpeg"], response_types=["application/json"],
    inference_instances=["ml.m5.large"], transform_instances=["ml.m5.large"],
    model_package_group_name=group, approval_status=approval))
is_good = ConditionStep(
    name="IsGood", if_steps=[register], else_steps=[],
    conditions=[ConditionGreaterThanOrEqualTo(
        left=JsonGet(step_name=measure.name, property_file=report, json_path="metrics.map.value"),
        right=least)])
pipeline = Pipeline(name="line-training", parameters=[least, approval],
                    steps=[prepare, train, measure, is_good], sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
print(json.dumps({"execution": execution.arn, "bucket": bucket}))
