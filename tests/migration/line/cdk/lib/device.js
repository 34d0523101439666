// SPDX-License-Identifier: Apache-2.0
// One camera, and what it may: at the broker by the policy of its certificate, elsewhere as a role.
const { Stack, CfnOutput, CfnParameter, CfnCondition, Fn } = require('aws-cdk-lib');
const iam = require('aws-cdk-lib/aws-iam');
const iot = require('aws-cdk-lib/aws-iot');

exports.DeviceStack = class DeviceStack extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const certificate = new CfnParameter(this, 'CertificateArn', {
      type: 'String', default: '', description: 'of the camera, once it has one',
    });
    const hasCertificate = new CfnCondition(this, 'HasCertificate', {
      expression: Fn.conditionNot(Fn.conditionEquals(certificate.valueAsString, '')),
    });

    this.thing = new iot.CfnThing(this, 'Camera', {
      thingName: 'line-camera', attributePayload: { attributes: { hall: '3' } },
    });
    this.role = new iam.Role(this, 'TokenExchange', {
      assumedBy: new iam.ServicePrincipal('credentials.iot.amazonaws.com'),
    });
    props.data.bucket.grantReadWrite(this.role);
    this.role.addToPolicy(new iam.PolicyStatement({
      actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 's3:GetBucketLocation'],
      resources: ['*'],
    }));
    this.alias = new iot.CfnRoleAlias(this, 'Alias', {
      roleAlias: 'line-token-exchange', roleArn: this.role.roleArn, credentialDurationSeconds: 3600,
    });
    const policy = new iot.CfnPolicy(this, 'Policy', {
      policyName: 'line-core',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['iot:Publish', 'iot:Subscribe', 'iot:Receive', 'iot:Connect', 'greengrass:*'],
            Resource: '*',
          },
          { Effect: 'Allow', Action: 'iot:AssumeRoleWithCertificate', Resource: this.alias.attrRoleAliasArn },
        ],
      },
    });
    const attachment = new iot.CfnPolicyPrincipalAttachment(this, 'PolicyAttachment', {
      policyName: policy.policyName, principal: certificate.valueAsString,
    });
    attachment.addDependency(policy);
    attachment.cfnOptions.condition = hasCertificate;
    const holder = new iot.CfnThingPrincipalAttachment(this, 'ThingAttachment', {
      thingName: this.thing.thingName, principal: certificate.valueAsString,
    });
    holder.addDependency(this.thing);
    holder.cfnOptions.condition = hasCertificate;

    new CfnOutput(this, 'ThingName', { value: this.thing.ref });
    new CfnOutput(this, 'RoleAlias', { value: this.alias.ref });
    new CfnOutput(this, 'PolicyName', { value: policy.ref });
  }
};
