# SPDX-License-Identifier: Apache-2.0
"""Where an approved model lies. Gets a model package as DescribeModelPackage describes it; asks
nobody, so its role needs no right."""


def split(url):
    """("bucket", "key") of s3://bucket/key."""
    if not url.startswith("s3://") or "/" not in url[5:]:
        raise ValueError(f"'{url}' is no place of a model: s3://BUCKET/KEY is")
    bucket, key = url[5:].split("/", 1)
    return bucket, key


def handler(event, _context):
    package = event["Package"]
    arn = package["ModelPackageArn"]
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise ValueError(f"{arn} has {len(containers)} containers: one model can be shipped at a time")
    source = containers[0].get("ModelDataSource", {}).get("S3DataSource", {})
    url = source.get("S3Uri") or containers[0].get("ModelDataUrl")
    if not url:
        raise ValueError(f"{arn} says nowhere where its model is (ModelDataUrl)")
    bucket, key = split(url)
    metrics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    report = metrics.get("S3Uri")
    return {
        "Name": f"{package.get('ModelPackageGroupName', package.get('ModelPackageName'))}"
                f"@{package.get('ModelPackageVersion', 1)}",
        "Url": url, "Bucket": bucket, "Key": key,
        "Report": dict(zip(("Bucket", "Key"), split(report))) if report else None,
    }
