// SPDX-License-Identifier: Apache-2.0
// Source, Build and Ship: what comes as source.zip is checked and shipped.
const { Stack, CfnOutput } = require('aws-cdk-lib');
const codebuild = require('aws-cdk-lib/aws-codebuild');
const codepipeline = require('aws-cdk-lib/aws-codepipeline');
const actions = require('aws-cdk-lib/aws-codepipeline-actions');

exports.PipelineStack = class PipelineStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const source = new codepipeline.Artifact('Source');
    const built = new codepipeline.Artifact('Built');
    const project = new codebuild.PipelineProject(this, 'Check', {
      projectName: 'line-check',
      environment: { buildImage: codebuild.LinuxBuildImage.STANDARD_7_0 },
      environmentVariables: { BUCKET: { value: props.data.bucket.bucketName } },
      buildSpec: codebuild.BuildSpec.fromObject({
        version: '0.2',
        phases: {
          install: { 'runtime-versions': { python: '3.11' }, commands: ['python3 --version'] },
          build: {
            commands: [
              'python3 -m compileall -q .',
              'test -n "$BUCKET"',
              'echo "{\\"checked\\": true}" > checked.json',
            ],
          },
        },
        artifacts: { files: ['checked.json'] },
      }),
    });
    const pipeline = new codepipeline.Pipeline(this, 'Pipeline', {
      pipelineName: 'line',
      crossAccountKeys: false,
      artifactBucket: props.data.bucket,
      stages: [
        {
          stageName: 'Source',
          actions: [new actions.S3SourceAction({
            actionName: 'Fetch', bucket: props.data.bucket, bucketKey: 'source/source.zip', output: source,
            trigger: actions.S3Trigger.NONE,
          })],
        },
        {
          stageName: 'Build',
          actions: [new actions.CodeBuildAction({ actionName: 'Check', project, input: source, outputs: [built] })],
        },
        {
          stageName: 'Ship',
          actions: [new actions.StepFunctionInvokeAction({
            actionName: 'Ship',
            stateMachine: props.workflows.ship,
            stateMachineInput: actions.StateMachineInput.literal({ Latest: 'line-models' }),
          })],
        },
      ],
    });
    new CfnOutput(this, 'PipelineName', { value: pipeline.pipelineName });
  }
};
