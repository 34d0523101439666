// SPDX-License-Identifier: Apache-2.0
// Functions, the two state machines that call them, and what starts these.
const path = require('path');
const { Stack, CfnOutput, Duration, RemovalPolicy, Aws } = require('aws-cdk-lib');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const sfn = require('aws-cdk-lib/aws-stepfunctions');
const events = require('aws-cdk-lib/aws-events');
const targets = require('aws-cdk-lib/aws-events-targets');

const here = (...words) => path.join(__dirname, '..', '..', ...words);

exports.WorkflowStack = class WorkflowStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const bucket = props.data.bucket;
    const fn = (name, more) => new lambda.Function(this, name, {
      runtime: lambda.Runtime.PYTHON_3_11,
      handler: 'app.handler',
      timeout: Duration.seconds(60),
      memorySize: 512,
      environment: { BUCKET: bucket.bucketName },
      ...more,
    });
    const find = fn('FindModel', { code: lambda.Code.fromAsset(here('functions', 'find_model')) });
    const next = fn('NextVersion', { code: lambda.Code.fromAsset(here('functions', 'next_version')) });
    const compose = fn('Compose', { code: lambda.Code.fromAsset(here('functions', 'compose')) });
    const labels = fn('Labels', { code: lambda.Code.fromAsset(here('functions', 'labels')) });
    bucket.grantReadWrite(find);
    find.addToRolePolicy(new iam.PolicyStatement({
      actions: ['s3:GetObject', 'sagemaker:DescribeModelPackage', 'sagemaker:ListModelPackages'], resources: ['*'],
    }));
    next.addToRolePolicy(new iam.PolicyStatement({
      actions: ['greengrass:ListComponentVersions'], resources: ['*'],
    }));
    bucket.grantReadWrite(labels);

    const ship = new sfn.StateMachine(this, 'Ship', {
      stateMachineName: 'line-ship',
      definitionBody: sfn.DefinitionBody.fromFile(here('machines', 'ship.asl.json')),
      definitionSubstitutions: {
        Bucket: bucket.bucketName, FindModel: find.functionArn, NextVersion: next.functionArn,
        Compose: compose.functionArn, Thing: 'line-camera', Region: Aws.REGION, Account: Aws.ACCOUNT_ID,
        Partition: Aws.PARTITION,
      },
      timeout: Duration.minutes(30),
      logs: {
        destination: new logs.LogGroup(this, 'ShipLog', {
          retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ERROR,
      },
    });
    [find, next, compose].forEach((one) => one.grantInvoke(ship));
    ship.addToRolePolicy(new iam.PolicyStatement({
      actions: [
        'sagemaker:DescribeModelPackage', 'greengrass:*', 'iot:DescribeThing', 'iot:DescribeJob',
        'iot:CreateJob', 'iot:CancelJob', 'iot:DescribeThingGroup', 'iot:UpdateJob', 's3:GetObject',
        's3:GetBucketLocation',
      ],
      resources: ['*'],
    }));
    const label = new sfn.StateMachine(this, 'Label', {
      stateMachineName: 'line-label',
      definitionBody: sfn.DefinitionBody.fromFile(here('machines', 'label.asl.json')),
      definitionSubstitutions: { Labels: labels.functionArn, Bucket: bucket.bucketName },
      timeout: Duration.hours(12),
    });
    labels.grantInvoke(label);
    label.addToRolePolicy(new iam.PolicyStatement({
      actions: ['sagemaker:CreateLabelingJob', 'sagemaker:DescribeLabelingJob', 's3:ListBucket'],
      resources: ['*'],
    }));

    new events.Rule(this, 'OnApproval', {
      ruleName: 'line-approved',
      eventPattern: {
        source: ['aws.sagemaker'],
        detailType: ['SageMaker Model Package State Change'],
        detail: { ModelPackageGroupName: ['line-models'], ModelApprovalStatus: ['Approved'] },
      },
      targets: [new targets.SfnStateMachine(ship, {
        input: events.RuleTargetInput.fromObject({
          ModelPackageArn: events.EventField.fromPath('$.detail.ModelPackageArn'),
        }),
      })],
    });
    new events.Rule(this, 'EachMonth', {
      ruleName: 'line-monthly',
      schedule: events.Schedule.cron({ minute: '0', hour: '3', day: '1' }),
      targets: [new targets.SfnStateMachine(label, {
        input: events.RuleTargetInput.fromObject({ why: 'the month is over' }),
      })],
    });

    this.ship = ship;
    this.label = label;
    new CfnOutput(this, 'ShipArn', { value: ship.stateMachineArn });
    new CfnOutput(this, 'LabelArn', { value: label.stateMachineArn });
    new CfnOutput(this, 'FindModelName', { value: find.functionName });
    new CfnOutput(this, 'NextVersionName', { value: next.functionName });
    new CfnOutput(this, 'ComposeName', { value: compose.functionName });
    new CfnOutput(this, 'LabelsName', { value: labels.functionName });
  }
};
