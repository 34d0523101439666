# SPDX-License-Identifier: Apache-2.0
"""Pictures without labels, as the manifest of a labelling job."""
import json
import os

import boto3
from slugify import slugify


def handler(event, context):
    bucket, s3 = os.environ["BUCKET"], boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="pictures/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    job = slugify(event.get("why", "labels"))[:63]
    lines = "".join(json.dumps({"source-ref": f"s3://{bucket}/{key}"}) + "\n" for key in keys)
    s3.put_object(Bucket=bucket, Key=f"labels/{job}.manifest", Body=lines.encode())
    return {"Count": len(keys), "Job": job, "Manifest": f"s3://{bucket}/labels/{job}.manifest"}
