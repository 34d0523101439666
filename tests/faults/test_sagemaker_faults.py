# SPDX-License-Identifier: Apache-2.0
"""The server killed while a pipeline is at each of its steps: it completes, nothing is done twice."""
import pytest

from harness import Server, wait_until
from sagemaker_shapes import (create_pipeline, make_role, pipeline_definition, put_scripts,
                              start_pipeline, steps_of, write_images)



@pytest.mark.parametrize("at", ["Prepare", "Train", "Score", "IsGood", "Register"])
def test_a_pipeline_outlives_a_server_killed_at_each_step(tmp_path, at):
    with Server(tmp_path / "data", "--job-images", write_images(tmp_path)) as server:
        make_role(server)
        put_scripts(server)
        client = server.aws("sagemaker")
        create_pipeline(client, "p", pipeline_definition("tags"))
        execution = start_pipeline(client, "p")
        wait_until(lambda: at in steps_of(client, execution), f"step {at}", 180)
        server.kill()
        server.start()
        client = server.aws("sagemaker")
        told = wait_until(
            lambda: (d := client.describe_pipeline_execution(PipelineExecutionArn=execution))
            ["PipelineExecutionStatus"] not in ("Executing", "Stopping") and d, "its end", 180)
        assert told["PipelineExecutionStatus"] == "Succeeded", told
        steps = steps_of(client, execution)
        assert list(steps) == ["Prepare", "Train", "Score", "IsGood", "Register"]
        assert all(step["AttemptCount"] == 1 for step in steps.values()), steps
        assert len(client.list_training_jobs()["TrainingJobSummaries"]) == 1
        assert len(client.list_processing_jobs()["ProcessingJobSummaries"]) == 2
        packages = client.list_model_packages(ModelPackageGroupName="tags")
        assert [p["ModelPackageVersion"] for p in packages["ModelPackageSummaryList"]] == [1]


def test_a_stop_that_a_crash_interrupts_is_carried_out(tmp_path):
    with Server(tmp_path / "data", "--job-images", write_images(tmp_path)) as server:
        make_role(server)
        put_scripts(server)
        client = server.aws("sagemaker")
        definition = pipeline_definition("tags")
        prepare = definition["Steps"][0]
        prepare["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["sleep", "600"]
        create_pipeline(client, "p", definition)
        execution = start_pipeline(client, "p")
        wait_until(lambda: client.list_processing_jobs()["ProcessingJobSummaries"], "the job", 90)
        client.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
        server.kill()
        server.start()
        client = server.aws("sagemaker")
        told = wait_until(
            lambda: (d := client.describe_pipeline_execution(PipelineExecutionArn=execution))
            ["PipelineExecutionStatus"] not in ("Executing", "Stopping") and d, "its end", 180)
        assert told["PipelineExecutionStatus"] == "Stopped", told
        jobs = client.list_processing_jobs()["ProcessingJobSummaries"]
        assert [job["ProcessingJobStatus"] for job in jobs] == ["Stopped"]
