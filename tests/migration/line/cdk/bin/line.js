// SPDX-License-Identifier: Apache-2.0
const cdk = require('aws-cdk-lib');
const { DataStack } = require('../lib/data');
const { DeviceStack } = require('../lib/device');
const { WorkflowStack } = require('../lib/workflows');
const { PipelineStack } = require('../lib/pipelines');

const app = new cdk.App({ outdir: process.env.CDK_OUTDIR || '../cdk.out', analyticsReporting: true });
const data = new DataStack(app, 'LineData');
const device = new DeviceStack(app, 'LineDevice', { data });
const workflows = new WorkflowStack(app, 'LineWorkflows', { data, device });
new PipelineStack(app, 'LinePipelines', { data, workflows });
cdk.Tags.of(app).add('project', 'inspection-line');
app.synth();
