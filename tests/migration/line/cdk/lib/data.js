// SPDX-License-Identifier: Apache-2.0
// What outlives everything else: the bucket, the features, the models, and who trains.
const { Stack, CfnOutput, CfnParameter, CfnCondition, Fn, RemovalPolicy, Duration } = require('aws-cdk-lib');
const s3 = require('aws-cdk-lib/aws-s3');
const iam = require('aws-cdk-lib/aws-iam');
const ssm = require('aws-cdk-lib/aws-ssm');
const sagemaker = require('aws-cdk-lib/aws-sagemaker');

exports.DataStack = class DataStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const keep = new CfnParameter(this, 'KeepOldPictures', {
      type: 'String', default: 'no', allowedValues: ['yes', 'no'],
      description: 'whether pictures of other years stay',
    });
    const forgets = new CfnCondition(this, 'ForgetsOldPictures', {
      expression: Fn.conditionNot(Fn.conditionEquals(keep.valueAsString, 'yes')),
    });

    this.bucket = new s3.Bucket(this, 'Data', {
      versioned: true,
      autoDeleteObjects: true,
      removalPolicy: RemovalPolicy.DESTROY,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ id: 'pictures', prefix: 'pictures/', expiration: Duration.days(400) }],
    });
    const rule = this.bucket.node.defaultChild;
    rule.addPropertyOverride('LifecycleConfiguration.Rules.0.Status',
      Fn.conditionIf(forgets.logicalId, 'Enabled', 'Disabled'));

    this.trainer = new iam.Role(this, 'Trainer', {
      assumedBy: new iam.ServicePrincipal('sagemaker.amazonaws.com'),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSageMakerFullAccess')],
      inlinePolicies: {
        train: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:CreateBucket'],
              resources: ['*'],
            }),
            new iam.PolicyStatement({
              actions: ['sagemaker:*'], resources: ['*'],
            }),
          ],
        }),
      },
    });
    this.trainer.addToPolicy(new iam.PolicyStatement({
      actions: ['iam:PassRole'], resources: [this.trainer.roleArn],
    }));
    this.bucket.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'TrainersReadPictures',
      principals: [new iam.ArnPrincipal(this.trainer.roleArn)],
      actions: ['s3:GetObject'],
      resources: [this.bucket.arnForObjects('pictures/*')],
    }));

    this.features = new sagemaker.CfnFeatureGroup(this, 'Labels', {
      featureGroupName: 'line-labels',
      recordIdentifierFeatureName: 'source_ref',
      eventTimeFeatureName: 'event_time',
      featureDefinitions: [
        { featureName: 'source_ref', featureType: 'String' },
        { featureName: 'event_time', featureType: 'Fractional' },
        { featureName: 'annotations', featureType: 'String' },
        { featureName: 'verified', featureType: 'Integral' },
      ],
      offlineStoreConfig: { S3StorageConfig: { S3Uri: this.bucket.s3UrlForObject('features') } },
      roleArn: this.trainer.roleArn,
    });
    this.models = new sagemaker.CfnModelPackageGroup(this, 'Models', {
      modelPackageGroupName: 'line-models', modelPackageGroupDescription: 'what finds scratches',
    });
    new ssm.StringParameter(this, 'BucketParameter', {
      parameterName: '/line/bucket', stringValue: this.bucket.bucketName,
    });

    new CfnOutput(this, 'BucketName', { value: this.bucket.bucketName, exportName: 'line-bucket' });
    new CfnOutput(this, 'TrainerArn', { value: this.trainer.roleArn });
    new CfnOutput(this, 'ModelPackageGroup', { value: this.models.ref });
    new CfnOutput(this, 'FeatureGroup', { value: this.features.ref });
  }
};
